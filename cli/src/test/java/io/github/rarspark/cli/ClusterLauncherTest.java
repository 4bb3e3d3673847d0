package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rarspark.cli.Scripts.Run;
import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs bin/rar-spark with a --master of a cluster, and a spark-submit that only says how it was called. */
class ClusterLauncherTest {

    @TempDir
    Path folder;

    private Checkout checkout;
    private Scripts scripts;
    private Path home;

    @BeforeEach
    void checkout() throws IOException {
        checkout = Checkout.in(folder);
        scripts = checkout.scripts();
        home = checkout.home();
    }

    private Run run(String... args) throws Exception {
        return checkout.run(args);
    }

    @ParameterizedTest
    @ValueSource(strings = {"yarn", "k8s://https://host:6443", "spark://host:7077"})
    void clusterRunGoesThroughSparkSubmit(String master) throws Exception {
        assertThat(run("train", "--master", master).err()).last().asString().contains("needs spark-submit");
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        assertThat(run("train", "--master=" + master, "--output", "with space").out())
                .containsExactly(
                        "--master",
                        master,
                        "--class",
                        "io.github.rarspark.cli.Main",
                        home + "/cli/target/rar-spark.jar",
                        "train",
                        "--output",
                        "with space");
    }

    @ParameterizedTest
    @CsvSource({"yarn,", "k8s://https://host:6443, spark.kubernetes.driverEnv.", "spark://host:7077,"})
    void executorsAndDriversInPodsTakeTheLibtorchForGpus(String master, String driver) throws Exception {
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"; env");
        scripts.set("RAR_SPARK_LIBTORCH", "/no/such/libtorch");
        scripts.set("RAR_SPARK_SUBMIT_ARGS", "--conf spark.executorEnv.CUDA_DEVICE_ORDER=FASTEST_FIRST");
        List<String> out = run("train", "--master", master).out();
        List<String> expected = new ArrayList<>(List.of("--master", master));
        for (String variable : Checkout.variables(Path.of("/no/such/libtorch"))) {
            expected.addAll(List.of("--conf", "spark.executorEnv." + variable));
            if (driver != null) {
                expected.addAll(List.of("--conf", driver + variable));
            }
        }
        expected.addAll(List.of("--conf", "spark.executorEnv.CUDA_DEVICE_ORDER=FASTEST_FIRST", "--class"));
        assertThat(out).startsWith(expected.toArray(String[]::new));
        // A gateway may be without the folder; then its driver computes with the jar's libtorch.
        assertThat(out).noneMatch(line -> line.startsWith("PYTORCH_"));

        scripts.set("RAR_SPARK_LIBTORCH", checkout.libtorch().toString());
        assertThat(run("train", "--master", master).out()).containsAll(Checkout.variables(checkout.libtorch()));
    }

    /** Any other may be on a node without the folder, and computes with the jar's libtorch. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDriverWithAGpuTakesItOnYarn(boolean fromFile) throws Exception {
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        scripts.set("RAR_SPARK_LIBTORCH", "/no/such/libtorch");
        if (fromFile) {
            Checkout.write(folder.resolve("mine.conf"), "spark.driver.resource.gpu.amount 1");
            scripts.set("RAR_SPARK_CONF", folder + "/mine.conf");
        } else {
            scripts.set("RAR_SPARK_SUBMIT_ARGS", "--conf spark.driver.resource.gpu.amount=1");
        }
        assertThat(run("train-classifier", "--master", "yarn").out())
                .containsAll(Checkout.variables(Path.of("/no/such/libtorch")).stream()
                        .map("spark.yarn.appMasterEnv."::concat)
                        .toList());
    }

    @Test
    void settingsAreKeptForOtherSubmitters() throws Exception {
        scripts.set("RAR_SPARK_PRINT", "yes");
        assertThat(run("train", "--master", "yarn").out()).isEmpty();
        scripts.set("RAR_SPARK_LIBTORCH", "/no/such/libtorch");
        Path file = Files.writeString(folder.resolve("mine.conf"), "spark.a  b c\nspark.d=e\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        List<String> expected = new ArrayList<>();
        for (String variable : Checkout.variables(Path.of("/no/such/libtorch"))) {
            expected.add("spark.executorEnv." + variable);
        }
        expected.addAll(List.of("spark.a=b c", "spark.d=e"));
        assertThat(run("train", "--master", "yarn").out()).isEqualTo(expected);
    }

    /** Workers start drivers without them. */
    @Test
    void otherSubmittersToStandaloneGetTheModuleOptions() throws Exception {
        scripts.set("RAR_SPARK_PRINT", "yes");
        Path file = Files.writeString(folder.resolve("mine.conf"), "spark.driver.extraJavaOptions -Da=b\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        assertThat(run("train", "--master", "spark://host:7077").out())
                .last(STRING)
                .startsWith("spark.driver.extraJavaOptions=--add-opens=java.base/java.lang=ALL-UNNAMED ")
                .endsWith(" -Da=b");
    }

    @Test
    void theJobJarMayBeOnTheCluster() throws Exception {
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        scripts.set("RAR_SPARK_JAR", "local:///opt/rar-spark.jar");
        assertThat(run("train", "--master", "k8s://https://host:6443").out())
                .containsSubsequence("io.github.rarspark.cli.Main", "local:///opt/rar-spark.jar", "train");
    }

    /** A spark-submit that knows nothing of the driver, and the driver's end as {@code rar-spark result} tells it. */
    private void submitInClusterMode(int resultCode) throws IOException {
        scripts.fake(
                "spark-submit",
                """
                if [[ " $* " == *' result '* ]]; then file=second code=%2$d; else file=first code=1; fi
                printf '%%s\\n' "$@" >'%1$s'/$file
                exit $code
                """
                        .formatted(folder, resultCode));
    }

    @ParameterizedTest
    @CsvSource({
        "--conf spark.a=b, ''",
        "--conf spark.driver.extraJavaOptions=-Da=b, ' -Da=b'",
        "--driver-java-options -Dc=d, ' -Dc=d'"
    })
    void driversThatAWorkerStartsHaveTheModuleOptions(String given, String after) throws Exception {
        submitInClusterMode(0);
        scripts.set("RAR_SPARK_SUBMIT_ARGS", given);
        run("train", "--master", "spark://host:7077", "--deploy-mode", "cluster", "--output", "run");
        List<String> words = scripts.lines("first");
        assertThat(words.get(words.lastIndexOf("--driver-java-options") + 1)).isEqualTo(Jvm.options() + after);
    }

    @ParameterizedTest
    @CsvSource({
        "yarn, spark.yarn.submit.waitAppCompletion",
        "k8s://https://host:6443, spark.kubernetes.submission.waitAppCompletion",
        "spark://host:7077, spark.standalone.submit.waitAppCompletion"
    })
    void inClusterModeTheExitCodeIsTheDrivers(String master, String wait) throws Exception {
        submitInClusterMode(73);
        scripts.set("RAR_SPARK_SUBMIT_ARGS", "--conf spark.a=b --driver-memory 9g");
        scripts.set("RAR_SPARK_JAR", "local:///opt/rar-spark.jar");
        Run run = run("train", "--master", master, "--deploy-mode", "cluster", "--output", "s3a://bucket/run/");
        assertThat(run.code()).isEqualTo(73);
        assertThat(run.err()).noneMatch(line -> line.contains("may tell more"));

        List<String> first = new ArrayList<>(scripts.lines("first"));
        if (master.startsWith("spark:")) {
            int moduleOptions = first.indexOf("--driver-java-options");
            first.subList(moduleOptions, moduleOptions + 2).clear();
        }
        String setting = first.stream()
                .filter(argument -> argument.startsWith("spark.rarspark.result="))
                .findFirst()
                .orElseThrow();
        String file = setting.substring(setting.indexOf('=') + 1);
        assertThat(file).matches("s3a://bucket/run/\\.result-[0-9a-f-]{36}\\.json");
        assertThat(first)
                .containsExactly(
                        "--master",
                        master,
                        "--conf",
                        "spark.a=b",
                        "--driver-memory",
                        "9g",
                        "--deploy-mode",
                        "cluster",
                        "--conf",
                        setting,
                        "--conf",
                        wait + "=true",
                        "--class",
                        "io.github.rarspark.cli.Main",
                        "local:///opt/rar-spark.jar",
                        "train",
                        "--output",
                        "s3a://bucket/run/");
        assertThat(scripts.lines("second"))
                .containsExactly(
                        "--master",
                        master,
                        "--conf",
                        "spark.a=b",
                        "--driver-memory",
                        "9g",
                        "--deploy-mode",
                        "cluster",
                        "--master",
                        "local[1]",
                        "--deploy-mode",
                        "client",
                        "--driver-memory",
                        "512m",
                        "--class",
                        "io.github.rarspark.cli.Main",
                        home + "/cli/target/rar-spark.jar",
                        "result",
                        file,
                        "--submitted");
        assertThat(run("train", "--master", master, "--deploy-mode=cluster", "--out", "o")
                        .code())
                .isEqualTo(73);
        assertThat(scripts.lines("second"))
                .as("another submission has another file")
                .doesNotContain(file);
    }

    @ParameterizedTest
    @CsvSource({
        "--deploy-mode cluster,, true",
        "--deploy-mode=cluster,, true",
        "--conf spark.submit.deployMode=cluster,, true",
        "--conf=spark.submit.deployMode=cluster,, true",
        ", spark.submit.deployMode cluster, true",
        "--deploy-mode client, spark.submit.deployMode cluster, false",
        "--name --deploy-mode=client, spark.submit.deployMode cluster, false",
        "--conf spark.submit.deployMode=client,, false",
        ",, false"
    })
    void theDeployModeIsThatOfSparkSubmit(String args, String settings, boolean cluster) throws Exception {
        submitInClusterMode(0);
        if (args != null) {
            scripts.set("RAR_SPARK_SUBMIT_ARGS", args);
        }
        if (settings != null) {
            Checkout.write(folder.resolve("spark.conf"), settings);
            scripts.set("RAR_SPARK_CONF", folder + "/spark.conf");
        }
        assertThat(run("train", "--master", "yarn", "--output", "o").code()).isEqualTo(cluster ? 0 : 1);
        assertThat(scripts.lines("second").isEmpty()).isNotEqualTo(cluster);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--output o",
                "--output=o",
                "--out o/",
                "--out=o",
                "--set train_tokenizer.output=o",
                "--set fid.output=x --set=train_tokenizer.output=o --set train_tokenizer.images=x"
            })
    void theOutputIsFoundAmongTheArguments(String options) throws Exception {
        submitInClusterMode(0);
        List<String> args = new ArrayList<>(List.of("train-tokenizer", "--master", "yarn", "--deploy-mode", "cluster"));
        args.addAll(List.of(options.split(" ")));
        assertThat(run(args.toArray(String[]::new)).code()).isZero();
        assertThat(scripts.lines("second")).anyMatch(argument -> argument.startsWith("o/.result-"));
    }

    @Test
    void withoutAnOutputTheExitCodeIsThatOfSparkSubmit() throws Exception {
        submitInClusterMode(0);
        Run run = run("train", "--master", "yarn", "--deploy-mode", "cluster", "--set", "fid.output=x");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).last().asString().contains("no --output, so the exit code is that of spark-submit");
        assertThat(scripts.lines("second")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"yarn, yarn logs", "k8s://https://host:6443, kubectl logs", "spark://host:7077, UI of its worker"})
    void aDriverWithoutAResultHasALog(String master, String log) throws Exception {
        submitInClusterMode(70);
        Run run = run("train", "--master", master, "--deploy-mode", "cluster", "--output", "o");
        assertThat(run.code()).isEqualTo(70);
        assertThat(run.err())
                .last()
                .asString()
                .startsWith("rar-spark: the driver's log may tell more: ")
                .contains(log);
    }

    @Test
    void anInterruptedWaitEndsWith130AndSaysThatTheDriverRunsOn() throws Exception {
        assumeTrue(!Checkout.isIgnored("TERM"), "SIGTERM is ignored here, as in a script's background, and so by bash");
        scripts.fake("spark-submit", "kill -TERM $PPID; exec sleep 60");
        Run run = run("train", "--master", "yarn", "--deploy-mode", "cluster", "--output", "o");
        assertThat(run.code()).isEqualTo(130);
        assertThat(run.err()).last().asString().contains("interrupted; the driver still waits or runs");
    }

    @Test
    void timeoutLimitsTheWait() throws Exception {
        assumeTrue(!Checkout.isIgnored("TERM"), "SIGTERM is ignored here, as in a script's background, and so by bash");
        // SIGALRM tells `timeout`, the launcher's parent, that the time is over.
        scripts.fake(
                "spark-submit",
                "echo $$ >'%s'; read -r _ _ _ parent _ </proc/$PPID/stat; kill -ALRM $parent; exec sleep 60"
                        .formatted(folder.resolve("pid")));
        Run run = scripts.run(
                "timeout",
                "--preserve-status",
                "1h",
                home + "/bin/rar-spark",
                "train",
                "--master",
                "yarn",
                "--deploy-mode",
                "cluster",
                "--output",
                "o");
        assertThat(run.code()).isEqualTo(130);
        assertThat(run.err()).last().asString().contains("interrupted; the driver still waits or runs");
        long submission = Long.parseLong(scripts.lines("pid").get(0));
        Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> ProcessHandle.of(submission)
                .isEmpty());
    }
}
