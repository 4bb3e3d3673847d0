package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.deploy.Airflow.DagRun;
import io.github.rarspark.deploy.Airflow.Dags;
import io.github.rarspark.deploy.Airflow.Definition;
import io.github.rarspark.deploy.Airflow.Ended;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The DAGs in an Airflow of PyPI, which runs the four jobs through spark-submit of a distribution of Spark. */
@Tag("clusters")
@Tag("distribution")
@Timeout(900)
class AirflowTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);

    @RegisterExtension
    private static final Processes PROCESSES = new Processes();

    @TempDir
    private static Path folder;

    private static Airflow airflow;
    private static FourJobs jobs;
    private static String root;

    @BeforeAll
    static void start() throws Exception {
        root = folder.resolve("runs").toUri().toString();
        jobs = FourJobs.write(Files.createDirectory(folder.resolve("inputs")), root);
        airflow = Airflow.create(PROCESSES, folder.resolve("airflow"), "SPARK_DEFAULT", "local[2]", Map.of());
    }

    private static Map<String, Object> params(Map<String, Object> moreKeys) {
        return Airflow.params(jobs, moreKeys, Map.of("spark.ui.enabled", false, "spark.driver.memory", "768m"));
    }

    @Test
    void theDagsAreImportedWithoutAWord() throws Exception {
        Dags dags = airflow.dags();
        assertThat(dags.errors()).isEmpty();
        assertThat(dags.warnings()).isEmpty();
        String pool = "rar_spark_gpu";
        Map<String, Definition> tasks = Map.of(
                "tokenize", new Definition(pool, 3, Set.of()),
                "train", new Definition(pool, 3, Set.of("tokenize")),
                "generate", new Definition(pool, 3, Set.of("train")),
                "fid", new Definition(pool, 3, Set.of("generate")),
                "judge", new Definition("default_pool", 0, Set.of("fid")),
                "accept", new Definition("default_pool", 0, Set.of("fid", "judge")),
                "reject", new Definition("default_pool", 0, Set.of("judge")));
        assertThat(dags.dags()).isEqualTo(Map.of("rar_spark", tasks, "rar_spark_kubernetes", tasks));
        for (String action : List.of("check", "format --check")) {
            List<String> words = new ArrayList<>(List.of(action.split(" ")));
            words.add(Path.of("").toAbsolutePath().toString());
            Ended ended = airflow.run("ruff", "ruff", words.toArray(String[]::new));
            assertThat(ended.code()).as(ended.log()).isZero();
        }
    }

    @Test
    void aTryThatMeetsAnotherDriverIsRepeatedAndASecondRunDoesNothing() throws Exception {
        String date = "2025-03-01";
        FourJobs outputs = jobs.into(Storage.child(root, "again"));
        Map<String, Object> params = params(Map.of("train.activation_checkpointing", true));
        params.put("run", "again");
        Process other = otherDriver(outputs);
        Process first = airflow.startRun("first", "rar_spark", date, params);
        try {
            Awaitility.await("the end of a try").atMost(LIMIT).until(() -> Files.readString(airflow.log("first"))
                    .contains("tokenize failed: "));
        } finally {
            other.destroyForcibly().waitFor();
        }
        Ended ended = airflow.await(first, "first");
        assertThat(ended.code()).as(ended.log()).isZero();

        Storage storage = new Storage(new Configuration());
        assertThat(outputs.contents(storage)).isEqualTo(jobs.expected(folder));
        DagRun run = airflow.dagRun("rar_spark", date);
        assertThat(run.states())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "tokenize", "success",
                        "train", "success",
                        "generate", "success",
                        "fid", "success",
                        "judge", "success",
                        "accept", "success",
                        "reject", "skipped"));
        assertThat(run.tasks().get("tokenize").tries()).isGreaterThan(1);
        assertThat(run.tasks().get("train").tries()).isEqualTo(1);
        for (String command : FourJobs.COMMANDS) {
            assertThat(Json.convert(run.tasks().get(command).result(), JobResult.class))
                    .isEqualTo(outputs.result(storage, command));
        }
        assertThat(run.events())
                .containsExactly(Map.of(
                        "weights",
                        root + "/again/train/model.safetensors",
                        "distance",
                        outputs.result(storage, "fid").metrics().get("fd")));

        Map<Path, Long> before = files();
        params.put("max_distance", 1e-9);
        ended = airflow.runDag("second", "rar_spark", date, params);
        assertThat(ended.code()).as(ended.log()).isZero();
        assertThat(files()).isEqualTo(before);
        assertThat(airflow.dagRun("rar_spark", date).states())
                .containsEntry("fid", "success")
                .containsEntry("accept", "skipped")
                .containsEntry("reject", "success");
    }

    /** A driver that has claimed the output of tokenize and written a shard, as a stopped process. */
    private static Process otherDriver(FourJobs outputs) throws Exception {
        Path log = folder.resolve("other.log");
        Path output = Path.of(URI.create(outputs.output("tokenize")));
        Process driver = PROCESSES.start(Jvm.of(
                        List.of("-Dspark.master=local[1]", "-Dspark.ui.enabled=false"),
                        "io.github.rarspark.cli.Main",
                        // A lease that does not pass while it is stopped.
                        outputs.arguments("tokenize", "--set", "claim.lease_seconds=1000")
                                .toArray(String[]::new))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile()));
        // A process that is there already stops it at once; the shards that are left take a tenth of a second.
        String stopAfter = "until [[ -e $1 || ! -d /proc/$2 ]]; do :; done; kill -STOP $2";
        Process stop = PROCESSES.start(new ProcessBuilder(
                "bash",
                "-c",
                stopAfter,
                "stop",
                output.resolve("part-000-00000.parquet").toString(),
                Long.toString(driver.pid())));
        assertThat(Processes.exitCode(stop, LIMIT)).isZero();
        assertThat(output.resolve("_manifest.json"))
                .as(() -> "the other driver has ended")
                .doesNotExist();
        assertThat(driver.isAlive()).isTrue();
        return driver;
    }

    /** The files of all runs with their times of modification. */
    private static Map<Path, Long> files() throws IOException {
        Map<Path, Long> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(folder.resolve("runs"))) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                files.put(file, Files.getLastModifiedTime(file).toMillis());
            }
        }
        return files;
    }

    @Test
    void aFailureThatWouldComeAgainIsTheLast() throws Exception {
        Path images = folder.resolve("bad-images");
        for (int i = 0; i < 3; i++) {
            Path image = images.resolve("class-" + i).resolve("image.png");
            Files.createDirectories(image.getParent());
            Files.writeString(image, "no image");
        }
        Map<String, Object> params = params(Map.of("tokenize.max_bad", "0"));
        params.put("images", images.toUri().toString());
        Ended ended = airflow.runDag("bad", "rar_spark", "2025-03-02", params);
        assertThat(ended.code()).as(ended.log()).isOne();
        assertThat(ended.log()).contains("tokenize failed: Cannot");
        DagRun run = airflow.dagRun("rar_spark", "2025-03-02");
        assertThat(run.states())
                .containsEntry("tokenize", "failed")
                .containsEntry("train", "upstream_failed")
                .containsEntry("judge", "upstream_failed");
        assertThat(run.tasks().get("tokenize").tries()).isEqualTo(1);
        FourJobs outputs = jobs.into(Storage.child(root, run.id().replace(':', '.')));
        assertThat(outputs.result(new Storage(new Configuration()), "tokenize").exitCode())
                .isEqualTo(65);
    }
}
