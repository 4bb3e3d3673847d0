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
    @CsvSource({
        "Darwin, arm64, Darwin on arm64",
        "Linux, aarch64, Linux on aarch64",
        "MINGW64_NT-10.0, x86_64, MINGW64_NT-10.0 on x86_64"
    })
    void otherSystemsGetTheContainerCommand(String system, String machine, String named) throws Exception {
        checkout.platform(system, machine, "");
        assertUnavailable(run("demo", "--output", "x"), named, "docker run");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ldd (GNU libc) 2.30", "ldd (Ubuntu GLIBC 2.9-0ubuntu1) 2.9", "musl libc (x86_64)", ""})
    void otherCLibrariesGetTheContainerCommand(String ldd) throws Exception {
        checkout.platform("Linux", "x86_64", ldd);
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
        checkout.platform("Linux", "x86_64", ldd);
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
    void anInstallationHasItsJarsInLibAndIsNotWrittenTo() throws Exception {
        Files.delete(home.resolve("pom.xml"));
        Checkout.write(home.resolve("lib/rar-spark.jar"), "");
        scripts.set("TMPDIR", folder + "/logs");
        List<String> out = run("demo").out();
        assertThat(out).containsSubsequence("-cp", home + "/lib/rar-spark.jar:" + home + "/lib/spark/*");
        assertThat(out).anyMatch(argument -> argument.startsWith("-Drar.log=" + folder + "/logs/rar-spark-"));
        assertThat(home.resolve("target")).doesNotExist();
        assertThat(scripts.lines("mvn-calls")).isEmpty();
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        assertThat(run("train", "--master", "yarn").out()).contains(home + "/lib/rar-spark.jar");
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

    @Test
    void settingsComeFromFiles() throws Exception {
        Checkout.write(
                folder.resolve("all jobs.conf"),
                """
                # Comments and empty lines are passed over.

                spark.executor.memory 4g
                spark.executor.extraJavaOptions   -Da=b  -Dc="d e"\t
                \tspark.executor.cores=2
                """);
        Checkout.write(folder.resolve("train.conf"), "spark.executor.memory 8g"); // without a newline
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
        Checkout.write(file, "spark.executor.cores 2\n\n" + line + "\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        Run run = run("train", "--master", "yarn");
        assertThat(run.code()).isEqualTo(64);
        assertThat(run.err())
                .containsExactly("rar-spark: cannot use line 3 of " + file
                        + " of RAR_SPARK_CONF: write a key that starts" + " with \"spark.\" and its value");
    }

    /** They would be arguments, which others on the machine can read. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "hadoop.fs.s3a.secret.key",
                "hadoop.fs.s3a.bucket.data.access.key",
                "hadoop.fs.azure.account.Key.name.dfs.core.windows.net",
                "hadoop.fs.azure.sas.data.name.blob.core.windows.net",
                "authenticate.secret",
                "executorEnv.AWS_SECRET_ACCESS_KEY"
            })
    void aSecretAmongTheSettingsIsRefusedAndNotRepeated(String name) throws Exception {
        Path file = folder.resolve("spark.conf");
        Checkout.write(file, "spark." + name + " hush\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        Run run = run("train", "--master", "yarn");
        assertThat(run.code()).isEqualTo(64);
        assertThat(run.err())
                .singleElement()
                .asString()
                .startsWith("rar-spark: cannot use spark." + name)
                .doesNotContain("hush");
    }

    @Test
    void namesOfSecretsAreSettings() throws Exception {
        Path file = folder.resolve("spark.conf");
        Checkout.write(file, "spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY s3:key\n");
        scripts.set("RAR_SPARK_CONF", file.toString());
        scripts.fake("spark-submit", "printf '%s\\n' \"$@\"");
        assertThat(run("train", "--master", "yarn").out())
                .contains("spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY=s3:key");
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

    @Test
    void localRunTakesTheLibtorchForGpus() throws Exception {
        scripts.fake("java", "[[ $1 == -version ]] && { echo 'openjdk version \"17\"' >&2; exit; }; env");
        scripts.set("RAR_SPARK_LIBTORCH", checkout.libtorch().toString());
        assertThat(run("demo").out()).containsAll(Checkout.variables(checkout.libtorch()));
        scripts.set("LD_LIBRARY_PATH", "/opt/lib");
        assertThat(run("demo").out())
                .contains("LD_LIBRARY_PATH=" + checkout.libtorch() + "/lib:/usr/local/nvidia/lib64:/opt/lib");
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
    @ValueSource(strings = {"INT", "TERM"})
    void interruptedBuildEndsAtOnceWith130(String signal) throws Exception {
        assumeTrue(
                !Checkout.isIgnored(signal),
                "SIG" + signal + " is ignored here, as in a script's background, and so by bash");
        scripts.fake("mvn", "echo $$ > " + folder + "/mvn; kill -" + signal + " $PPID; exec sleep 60");
        assertThat(run("demo").code()).isEqualTo(130);
        long mvn = Long.parseLong(Files.readString(folder.resolve("mvn")).strip());
        Optional<ProcessHandle> build = ProcessHandle.of(mvn);
        if (build.isPresent()) {
            assertThat(build.get().onExit().get(30, TimeUnit.SECONDS).isAlive()).isFalse();
        }
    }
}
