package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rarspark.cli.Scripts.Run;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs bin/rar-spark in a made-up checkout, with only fakes and a few basic tools on the PATH. */
class LauncherTest {

    private static final List<String> TOOLS = List.of(
            "awk",
            "bash",
            "cat",
            "date",
            "dirname",
            "env",
            "find",
            "flock",
            "head",
            "mkdir",
            "readlink",
            "sed",
            "sort",
            "sleep",
            "tail",
            "touch");

    @TempDir
    Path folder;

    private Scripts scripts;
    private Path home;

    @BeforeEach
    void checkout() throws IOException {
        home = folder.resolve("a check out");
        scripts = new Scripts(folder, TOOLS);
        Path launcher = home.resolve("bin/rar-spark");
        Files.createDirectories(launcher.getParent());
        Files.copy(Path.of("..", "bin", "rar-spark"), launcher);
        Path variables = home.resolve("deploy/gpu/libtorch.env");
        Files.createDirectories(variables.getParent());
        Files.copy(Path.of("..", "deploy", "gpu", "libtorch.env"), variables);
        write(home.resolve("pom.xml"), "<project/>");
        write(home.resolve("cli/src/main/java/Main.java"), "class Main {}");
        platform("Linux", "x86_64", "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36");
        scripts.fake(
                "java",
                "[[ $1 == -version ]] && { echo 'openjdk version \"17.0.15\"' >&2; exit; }; printf '%s\\n' \"$@\"");
        scripts.fake(
                "mvn",
                "echo \"$*\" >> '%1$s'; mkdir -p '%2$s'; touch '%2$s/rar-spark.jar'"
                        .formatted(folder.resolve("mvn-calls"), home.resolve("cli/target")));
    }

    private void platform(String system, String machine, String ldd) throws IOException {
        scripts.fake("uname", "[[ $1 == -s ]] && echo " + system + " || echo " + machine);
        scripts.fake("ldd", "echo '" + ldd + "'");
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private Run run(String... args) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(home.resolve("bin/rar-spark").toString()));
        command.addAll(List.of(args));
        return scripts.run(command.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({
        "Darwin, arm64, Darwin on arm64",
        "Linux, aarch64, Linux on aarch64",
        "MINGW64_NT-10.0, x86_64, MINGW64_NT-10.0 on x86_64"
    })
    void otherSystemsGetTheContainerCommand(String system, String machine, String named) throws Exception {
        platform(system, machine, "");
        assertUnavailable(run("demo", "--output", "x"), named, "docker run");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ldd (GNU libc) 2.30", "ldd (Ubuntu GLIBC 2.9-0ubuntu1) 2.9", "musl libc (x86_64)", ""})
    void otherCLibrariesGetTheContainerCommand(String ldd) throws Exception {
        platform("Linux", "x86_64", ldd);
        assertUnavailable(run("demo"), "needs glibc 2.31", "docker run");
    }

    @Test
    void failingOrMissingLddGetsTheContainerCommand() throws Exception {
        scripts.fake("ldd", "echo 'musl libc (x86_64)' >&2; exit 1");
        assertUnavailable(run("demo"), "another C library", "docker run");
        scripts.remove("ldd");
        assertUnavailable(run("demo"), "another C library", "docker run");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ldd (Ubuntu GLIBC 2.31-0ubuntu9) 2.31", "ldd (GNU libc) 2.100"})
    void laterGlibcIsFine(String ldd) throws Exception {
        platform("Linux", "x86_64", ldd);
        assertThat(run("demo").code()).isZero();
    }

    @Test
    void otherJavaIsNamed() throws Exception {
        scripts.fake("java", "echo 'openjdk version \"11.0.2\"' >&2");
        assertUnavailable(run("demo"), "needs JDK 17, found 11");
        scripts.remove("java");
        assertUnavailable(run("demo"), "needs JDK 17, found none on the PATH (JAVA_HOME is not set)");
    }

    @Test
    void aWrongJavaHomeIsNamed() throws Exception {
        scripts.set("JAVA_HOME", folder + "/no such jdk");
        assertUnavailable(run("demo"), "needs JDK 17, found none in JAVA_HOME=" + folder + "/no such jdk;");
    }

    @Test
    void aHeapThatIsNoSizeIsWrongUsage() throws Exception {
        scripts.set("RAR_SPARK_HEAP", "lots");
        Run run = run("demo");
        assertThat(run.code()).isEqualTo(64);
        assertThat(run.err())
                .last()
                .isEqualTo("rar-spark: cannot use RAR_SPARK_HEAP=lots: give a size, such as 4g or 512m");
    }

    @Test
    void aLogThatCannotBeWrittenIsNamed() throws Exception {
        scripts.set("RAR_SPARK_LOG", "/proc/none/log");
        Run run = run("demo");
        assertThat(run.code()).isEqualTo(69);
        assertThat(run.err())
                .last()
                .isEqualTo("rar-spark: cannot write the log file /proc/none/log; set RAR_SPARK_LOG to one that can be"
                        + " written");
    }

    @Test
    void missingMavenIsNamed() throws Exception {
        scripts.remove("mvn");
        assertUnavailable(run("demo"), "needs Maven");
    }

    private void assertUnavailable(Run run, String... parts) {
        assertThat(run.code()).isEqualTo(69);
        assertThat(run.err())
                .hasSize(1)
                .first()
                .asString()
                .startsWith("rar-spark: ")
                .contains(parts);
        assertThat(home.resolve("cli/target")).doesNotExist();
    }

    @Test
    void buildsWhenTheJarIsMissingOrOlderThanASource() throws Exception {
        assertThat(run("demo").err()).singleElement().asString().contains("building");
        assertThat(run("demo").err()).isEmpty();
        assertThat(scripts.lines("mvn-calls"))
                .containsExactly("-f " + home + "/pom.xml -q -B -DskipTests -pl cli -am package");
        Files.setLastModifiedTime(
                home.resolve("cli/src/main/java/Main.java"),
                FileTime.from(Instant.now().plusSeconds(60)));
        assertThat(run("demo").err()).singleElement().asString().contains("building");
        assertThat(scripts.lines("mvn-calls")).hasSize(2);
    }

    @Test
    void installationWithoutSourcesIsNotBuilt() throws Exception {
        Files.delete(home.resolve("pom.xml"));
        assertThat(run("demo").code()).isZero();
        assertThat(scripts.lines("mvn-calls")).isEmpty();
    }

    @Test
    void failedBuildShowsItsLastLines() throws Exception {
        scripts.fake("mvn", "echo '[ERROR] no network'; exit 1");
        Run run = run("demo");
        assertThat(run.code()).isEqualTo(70);
        assertThat(run.err()).contains("[ERROR] no network").last().asString().contains("the build failed");
    }

    @Test
    void localRunKeepsTheArguments() throws Exception {
        List<String> out = run("train", "--output", "with space", "--master", "local[2]", "")
                .out();
        assertThat(out)
                .containsSubsequence(
                        "-cp",
                        home + "/cli/target/rar-spark.jar:" + home + "/cli/target/lib/*",
                        "io.github.rarspark.cli.Main",
                        "train",
                        "--output",
                        "with space",
                        "--master",
                        "local[2]",
                        "")
                .anyMatch(arg -> arg.matches("-Xmx[1-8]g"));
    }

    @Test
    void localRunOpensWhatTheTestsOpen() throws Exception {
        List<String> ofTheBuild = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add-opens"))
                .toList();
        assertThat(ofTheBuild).isNotEmpty();
        assertThat(run("demo").out().stream().filter(argument -> argument.startsWith("--add-opens")))
                .containsExactlyInAnyOrderElementsOf(ofTheBuild);
    }

    @Test
    void theSystemsMessagesAreEnglishAndItsFileNamesWhatTheyWere() throws Exception {
        scripts.fake(
                "java",
                "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; };"
                        + " echo \"${LC_ALL-none} $LC_CTYPE $LC_MESSAGES\"");
        scripts.set("LC_ALL", "de_DE.UTF-8");
        scripts.set("LC_MESSAGES", "de_DE.UTF-8");
        assertThat(run("demo").out()).containsExactly("none de_DE.UTF-8 C");
    }

    @ParameterizedTest
    @CsvSource({", 1", "4, 4"})
    void freedMemoryIsKeptInOneArena(String given, String arenas) throws Exception {
        scripts.fake(
                "java", "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; }; echo $MALLOC_ARENA_MAX");
        if (given != null) {
            scripts.set("MALLOC_ARENA_MAX", given);
        }
        assertThat(run("demo").out()).containsExactly(arenas);
    }

    @Test
    void exitCodeIsTheCommands() throws Exception {
        scripts.fake("java", "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; }; exit 73");
        assertThat(run("demo").code()).isEqualTo(73);
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

    @Test
    void settingsComeFromFiles() throws Exception {
        write(
                folder.resolve("all jobs.conf"),
                """
                # Comments and empty lines are passed over.

                spark.executor.memory 4g
                spark.executor.extraJavaOptions   -Da=b  -Dc="d e"\t
                \tspark.executor.cores=2
                """);
        write(folder.resolve("train.conf"), "spark.executor.memory 8g"); // without a newline
        scripts.set("RAR_SPARK_CONF", folder + "/all jobs.conf:" + folder + "/train.conf");
        scripts.set("RAR_SPARK_SUBMIT_ARGS", "--conf spark.executor.memory=16g");
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        assertThat(run("train", "--master", "yarn").out())
                .startsWith(
                        "--master",
                        "yarn",
                        "--conf",
                        "spark.executor.memory=4g",
                        "--conf",
                        "spark.executor.extraJavaOptions=-Da=b  -Dc=\"d e\"",
                        "--conf",
                        "spark.executor.cores=2",
                        "--conf",
                        "spark.executor.memory=8g",
                        "--conf",
                        "spark.executor.memory=16g",
                        "--class");
        scripts.set("RAR_SPARK_JAVA_OPTS", "-Dspark.executor.memory=16g");
        assertThat(run("train").out())
                .containsSubsequence(
                        "-Dspark.executor.memory=4g",
                        "-Dspark.executor.extraJavaOptions=-Da=b  -Dc=\"d e\"",
                        "-Dspark.executor.cores=2",
                        "-Dspark.executor.memory=8g",
                        "-Dspark.executor.memory=16g",
                        "-cp");
    }

    @ParameterizedTest
    @ValueSource(strings = {"spark.executor.memory", "executor.memory 4g", "spark.executor.memory ", "spark."})
    void aLineThatIsNoSettingIsNamed(String line) throws Exception {
        Path file = folder.resolve("spark.conf");
        write(file, "spark.executor.cores 2\n\n" + line + "\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        Run run = run("train", "--master", "yarn");
        assertThat(run.code()).isEqualTo(64);
        assertThat(run.err())
                .containsExactly("rar-spark: cannot use line 3 of " + file
                        + " of RAR_SPARK_CONF: write a key that starts" + " with \"spark.\" and its value");
    }

    @Test
    void aMissingFileOfSettingsIsNamed() throws Exception {
        scripts.set("RAR_SPARK_CONF", folder + "/none.conf");
        Run run = run("train", "--master", "yarn");
        assertThat(run.code()).isEqualTo(66);
        assertThat(run.err())
                .containsExactly("rar-spark: cannot read " + folder + "/none.conf of RAR_SPARK_CONF: it is missing or"
                        + " no readable file");
    }

    private static final List<String> LIBTORCH = List.of(
            "PYTORCH_LIBRARY_PATH=%s/torch/lib",
            "PYTORCH_VERSION=2.7.1",
            "PYTORCH_FLAVOR=cu128",
            "LD_LIBRARY_PATH=%s/lib:/usr/local/nvidia/lib64",
            "CUDA_DEVICE_ORDER=PCI_BUS_ID",
            "CUBLAS_WORKSPACE_CONFIG=:4096:8");

    /** A folder like those of install-libtorch. */
    private Path libtorch() throws IOException {
        Path libtorch = folder.resolve("R & D/libtorch");
        write(libtorch.resolve("torch/lib/libtorch_cuda.so"), "");
        return libtorch;
    }

    private static List<String> variables(Path folder) {
        return LIBTORCH.stream().map(line -> line.formatted(folder)).toList();
    }

    @Test
    void localRunTakesTheLibtorchForGpus() throws Exception {
        scripts.fake("java", "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; }; env");
        scripts.set("RAR_SPARK_LIBTORCH", libtorch().toString());
        assertThat(run("demo").out()).containsAll(variables(libtorch()));
        scripts.set("LD_LIBRARY_PATH", "/opt/lib");
        assertThat(run("demo").out())
                .contains("LD_LIBRARY_PATH=" + libtorch() + "/lib:/usr/local/nvidia/lib64:/opt/lib");
    }

    @Test
    void withoutItTheEnvironmentStays() throws Exception {
        scripts.fake("java", "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; }; env");
        assertThat(run("demo").out()).noneMatch(line -> line.matches("(PYTORCH|CUDA|CUBLAS|LD_LIBRARY)_.*"));
    }

    @Test
    void aFolderWithoutLibtorchForGpusIsNamed() throws Exception {
        scripts.set("RAR_SPARK_LIBTORCH", "/no/such");
        Run run = run("demo");
        assertThat(run.code()).isEqualTo(69);
        assertThat(run.err())
                .last()
                .isEqualTo("rar-spark: cannot use RAR_SPARK_LIBTORCH=/no/such: it has no torch/lib/libtorch_cuda.so;"
                        + " make the folder with deploy/gpu/install-libtorch");
    }

    @ParameterizedTest
    @CsvSource({
        "yarn, spark.yarn.appMasterEnv.",
        "k8s://https://host:6443, spark.kubernetes.driverEnv.",
        "spark://host:7077,"
    })
    void executorsAndTheDriverInTheClusterTakeTheLibtorchForGpus(String master, String driver) throws Exception {
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"; env");
        scripts.set("RAR_SPARK_LIBTORCH", "/no/such/libtorch");
        scripts.set("RAR_SPARK_SUBMIT_ARGS", "--conf spark.executorEnv.CUDA_DEVICE_ORDER=FASTEST_FIRST");
        List<String> out = run("train", "--master", master).out();
        List<String> expected = new ArrayList<>(List.of("--master", master));
        for (String variable : variables(Path.of("/no/such/libtorch"))) {
            expected.addAll(List.of("--conf", "spark.executorEnv." + variable));
            if (driver != null) {
                expected.addAll(List.of("--conf", driver + variable));
            }
        }
        expected.addAll(List.of("--conf", "spark.executorEnv.CUDA_DEVICE_ORDER=FASTEST_FIRST", "--class"));
        assertThat(out).startsWith(expected.toArray(String[]::new));
        // A gateway may be without the folder; then its driver computes with the jar's libtorch.
        assertThat(out).noneMatch(line -> line.startsWith("PYTORCH_"));

        scripts.set("RAR_SPARK_LIBTORCH", libtorch().toString());
        assertThat(run("train", "--master", master).out()).containsAll(variables(libtorch()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void interruptedBuildEndsAtOnceWith130(String signal) throws Exception {
        assumeTrue(
                !isIgnored(signal), "SIG" + signal + " is ignored here, as in a script's background, and so by bash");
        scripts.fake("mvn", "echo $$ > " + folder + "/mvn; kill -" + signal + " $PPID; exec sleep 60");
        assertThat(run("demo").code()).isEqualTo(130);
        long mvn = Long.parseLong(Files.readString(folder.resolve("mvn")).strip());
        Optional<ProcessHandle> build = ProcessHandle.of(mvn);
        if (build.isPresent()) {
            assertThat(build.get().onExit().get(30, TimeUnit.SECONDS).isAlive()).isFalse();
        }
    }

    /** Whether processes that this one starts ignore the signal, which they cannot undo. */
    private static boolean isIgnored(String signal) throws IOException {
        String mask = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow()
                .split("\\s+")[1];
        int number = signal.equals("INT") ? 2 : 15;
        return (Long.parseUnsignedLong(mask, 16) >> number - 1 & 1) == 1;
    }
}
