package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;
import static io.github.rarspark.cli.doctor.Finding.warn;

import io.github.rarspark.common.Failures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ContainerReport;
import org.apache.hadoop.yarn.api.records.ContainerState;
import org.apache.hadoop.yarn.api.records.ResourceInformation;
import org.apache.hadoop.yarn.client.api.YarnClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.apache.hadoop.yarn.util.resource.ResourceUtils;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Whether YARN has given the executors' containers the GPUs that Spark asked for. An application master that does not know
 * the resource leaves it out of its requests and says nothing; the executors then find the machine's GPUs, which other
 * containers have as well.
 */
final class YarnGpus {
    private static final String RESOURCE = ResourceInformation.GPU_URI;
    private static final String FIX =
            "make " + RESOURCE + " known to the application master: ship deploy/yarn/resource-types.xml"
                    + " (spark.yarn.dist.files), or put it into HADOOP_CONF_DIR";

    private YarnGpus() {}

    /** The findings of a session on YARN whose executors have {@code expected} GPUs each. */
    static Finding check(SparkContext context, int expected) {
        SparkConf conf = context.getConf();
        if (!ResourceUtils.getResourceTypes().containsKey(RESOURCE)) {
            return unknown(conf.get("spark.submit.deployMode", "client").equals("cluster"));
        }
        try {
            return judge(allocated(context.hadoopConfiguration(), context.applicationId()), expected);
        } catch (YarnException | IOException e) {
            return warn(
                    "gpus of containers",
                    "YARN does not tell: " + Failures.message(e),
                    "see in YARN's UI that each executor's container has " + RESOURCE);
        }
    }

    /** @param isMaster whether this process is the application master, whose requests count */
    static Finding unknown(boolean isMaster) {
        String value = RESOURCE + " is no resource type that the driver knows";
        return isMaster
                ? fail("gpus of containers", value + ", so its containers have none", FIX)
                : warn("gpus of containers", value + ", so it cannot see whether the containers have any", FIX);
    }

    /** @param allocated the GPUs of each executor's container */
    static Finding judge(List<Long> allocated, int expected) {
        long lacking = allocated.stream().filter(gpus -> gpus < expected).count();
        return lacking == 0
                ? ok("gpus of containers", expected + " in each of " + allocated.size())
                : fail(
                        "gpus of containers",
                        lacking + " of " + allocated.size() + " containers have less than " + expected + " " + RESOURCE,
                        FIX);
    }

    private static List<Long> allocated(Configuration hadoop, String application) throws YarnException, IOException {
        List<Long> gpus = new ArrayList<>();
        try (YarnClient client = YarnClient.createYarnClient()) {
            client.init(new YarnConfiguration(hadoop));
            client.start();
            ApplicationAttemptId attempt = client.getApplicationReport(ApplicationId.fromString(application))
                    .getCurrentApplicationAttemptId();
            for (ContainerReport container : client.getContainers(attempt)) {
                boolean isMaster = container.getContainerId().getContainerId() % (1L << 40) == 1;
                if (container.getContainerState() == ContainerState.RUNNING && !isMaster) {
                    gpus.add(container
                            .getAllocatedResource()
                            .getResourceInformation(RESOURCE)
                            .getValue());
                }
            }
        }
        return gpus;
    }
}
