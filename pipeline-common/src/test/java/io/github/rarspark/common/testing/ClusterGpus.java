package io.github.rarspark.common.testing;

import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.SparkSession;

/** GPUs that Spark's scheduler knows by their addresses. Whether anything can compute on them is another matter. */
public final class ClusterGpus {
    private ClusterGpus() {}

    /**
     * A session with two executors of one core, each with a GPU that is emulated.
     *
     * @param folder gets the discovery script
     * @param more settings
     */
    public static SparkSession start(Path folder, Map<String, String> more) throws IOException {
        Map<String, String> settings = settings(folder, 1, "0", "1");
        settings.put("spark.executor.cores", "1");
        settings.put("spark.executor.memory", "512m");
        settings.put("spark.executor.extraJavaOptions", Jvm.options() + " " + String.join(" ", FakeGpus.javaOptions()));
        settings.putAll(more);
        return LocalCluster.start(1, 2, settings);
    }

    /**
     * The settings of a session whose workers each have GPUs.
     *
     * @param folder gets the discovery script
     * @param perExecutor how many an executor takes
     * @param addresses of each worker
     */
    public static Map<String, String> settings(Path folder, int perExecutor, String... addresses) throws IOException {
        String list = Arrays.stream(addresses).map(name -> '"' + name + '"').collect(Collectors.joining(", "));
        Path script = folder.resolve("discover-gpus");
        Files.writeString(script, "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [" + list + "]}'\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Map<String, String> settings = new TreeMap<>();
        settings.put("spark.worker.resource.gpu.amount", Integer.toString(addresses.length));
        settings.put("spark.worker.resource.gpu.discoveryScript", script.toString());
        settings.put("spark.executor.resource.gpu.amount", Integer.toString(perExecutor));
        return settings;
    }
}
