package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What deploy/submit.sh gives to bin/rar-spark, which is a fake here. */
class SubmitTest {
    private static final String MASTER = "spark://host:7077";

    @TempDir
    private Path folder;

    private Path home;
    private final Map<String, String> environment = new HashMap<>();

    /** How a submission ended, and the lines that it printed. */
    private record Run(int code, List<String> out, List<String> err) {}

    @BeforeEach
    void install() throws IOException {
        home = folder.resolve("rar spark");
        for (String file : List.of("submit.sh", "standalone/submit", "standalone/spark.conf")) {
            Path copy = home.resolve("deploy").resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of(file), copy);
        }
        write(
                "deploy/sizes.tsv",
                """
                # a comment
                model\tcommand\tdevice\tcores\theap\toverhead\tdriver_heap\tdriver_overhead\tsettings
                rar-b\ttrain\tcpu\t8\t12g\t24g\t4g\t1g\tspark.task.cpus=8 spark.rar.train.micro_batch=2
                rar-b\ttrain\tgpu\t4\t3g\t5g\t2g\t1g\t
                rar-b\tgenerate\tcpu\t16\t6g\t48g\t5g\t1g\t
                """);
        Path launcher = write(
                "bin/rar-spark",
                """
                #!/usr/bin/env bash
                printf '%s\\n' "$@"
                echo "options $RAR_SPARK_SUBMIT_ARGS"
                IFS=:
                for file in $RAR_SPARK_CONF; do
                  sed -n 's/^spark/conf &/p' "$file"
                done
                """);
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Path write(String name, String text) throws IOException {
        Path file = home.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private Run submit(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("deploy/standalone/submit").toString());
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder submit =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        submit.environment().putAll(environment);
        int code = Processes.exitCode(submit.start(), Duration.ofSeconds(30));
        return new Run(code, Files.readAllLines(out), Files.readAllLines(err));
    }

    /** The settings, where a later one wins. */
    private static Map<String, String> settings(Run run) {
        assertThat(run.code()).isZero();
        Map<String, String> settings = new HashMap<>();
        run.out().stream().filter(line -> line.startsWith("conf ")).forEach(line -> {
            String[] words = line.split("\\s+", 3);
            settings.put(words[1], words[2]);
        });
        return settings;
    }

    @Test
    void aTrainingHasAnExecutorForEachRank() throws Exception {
        Run run = submit("--deploy-mode", "cluster", "train", "--master", MASTER, "--recipe", "rar-b", "--ranks", "4");
        assertThat(settings(run))
                .isEqualTo(Map.of(
                        "spark.dynamicAllocation.enabled", "false",
                        "spark.executor.cores", "8",
                        "spark.executor.memory", "12g",
                        "spark.executor.memoryOverhead", "24g",
                        "spark.driver.memory", "4g",
                        "spark.task.cpus", "8",
                        "spark.driver.memoryOverhead", "1g",
                        "spark.rar.train.micro_batch", "2",
                        "spark.cores.max", "32"));
        assertThat(run.out())
                .containsSequence("train", "--master", MASTER, "--recipe", "rar-b", "--ranks", "4", "--master", MASTER)
                .containsSequence("--deploy-mode", "cluster");
        assertThat(run.err())
                .containsExactly("submit: train of rar-b on CPUs, 4 executors, each with 8 cores, 12g of heap and 24g"
                        + " beside it; 4g of heap for the driver; spark.task.cpus=8 spark.rar.train.micro_batch=2");
    }

    @Test
    void aRecipesOwnKeysStay() throws Exception {
        Path recipe = Files.writeString(folder.resolve("mine.yaml"), "extends: rar-b\ntrain: {micro_batch: 1}\n");
        assertThat(settings(submit("train", "--master", MASTER, "--recipe", recipe.toString())))
                .containsEntry("spark.task.cpus", "8")
                .doesNotContainKey("spark.rar.train.micro_batch");
    }

    @Test
    void onGpusAnExecutorHasOne() throws Exception {
        environment.put("RAR_SPARK_LIBTORCH", "/data/libtorch");
        write("deploy/standalone/gpu.conf", "spark.of.gpus yes\n");
        write("deploy/standalone/cpu.conf", "spark.of.cpus yes\n");
        Run run = submit("--master=" + MASTER, "train", "--recipe=rar-b", "--device=gpu", "--set", "train.ranks=2");
        assertThat(settings(run))
                .containsEntry("spark.executor.memoryOverhead", "5g")
                .containsEntry("spark.cores.max", "8")
                .containsEntry("spark.executor.resource.gpu.amount", "1")
                .containsEntry("spark.executor.resource.gpu.discoveryScript", "/data/libtorch/discover-gpus")
                .containsEntry("spark.of.gpus", "yes")
                .doesNotContainKeys("spark.of.cpus", "spark.task.cpus", "spark.rar.train.micro_batch");
    }

    @Test
    void otherJobsTakeWhatTheClusterGivesUnlessTold() throws Exception {
        assertThat(settings(submit("generate", "--master", MASTER, "--recipe", "rar-b", "--ranks", "4")))
                .containsEntry("spark.executor.cores", "16")
                .doesNotContainKeys("spark.cores.max", "spark.task.cpus");
        assertThat(settings(submit("--executors", "3", "generate", "--master", MASTER, "--recipe", "rar-b")))
                .containsEntry("spark.cores.max", "48");
    }

    @Test
    void doctorHasTheExecutorsOfTheJobThatItExamines() throws Exception {
        assertThat(settings(submit("doctor", "--master", MASTER, "--recipe", "rar-b", "--ranks", "4")))
                .containsEntry("spark.executor.memoryOverhead", "24g")
                .containsEntry("spark.cores.max", "32");
        Run run = submit("doctor", "--master", MASTER, "--recipe", "rar-b", "--command", "generate");
        assertThat(settings(run))
                .containsEntry("spark.executor.memoryOverhead", "48g")
                .doesNotContainKey("spark.cores.max");
        assertThat(run.out()).startsWith("doctor");
    }

    @Test
    void theSizesOfARecipeInAFileAreThoseOfTheOneItExtends() throws Exception {
        Path recipe = write("my recipe.yaml", "# mine\nextends: rar-b # a comment\ntrain: {batch: 64}\n");
        for (String name : List.of(recipe.toString(), "file:" + recipe, "file://" + recipe)) {
            assertThat(settings(submit("train", "--master", MASTER, "--recipe", name)))
                    .containsEntry("spark.executor.cores", "8")
                    .doesNotContainKey("spark.cores.max");
        }
    }

    @Test
    void withoutSizesSparksOwnHold() throws Exception {
        Run run = submit("fid", "--master", MASTER, "--recipe", "s3a://bucket/recipe.yaml", "--output", "with space");
        assertThat(settings(run)).containsOnlyKeys("spark.dynamicAllocation.enabled");
        assertThat(run.out()).contains("with space");
        assertThat(run.err())
                .singleElement()
                .asString()
                .startsWith("submit: no sizes for fid of s3a://bucket/recipe.yaml on CPUs;");
    }

    @Test
    void theCommandsSettingsAndThenTheUsersWin() throws Exception {
        write("deploy/standalone/train.conf", "spark.executor.cores 1\nspark.dynamicAllocation.enabled true\n");
        Path mine = write("mine.conf", "spark.executor.memory 99g\n");
        environment.put("RAR_SPARK_CONF", mine.toString());
        environment.put("RAR_SPARK_SUBMIT_ARGS", "--conf spark.a=b");
        Run run = submit("--deploy-mode=client", "train", "--master", MASTER, "--recipe", "rar-b");
        assertThat(settings(run))
                .containsEntry("spark.dynamicAllocation.enabled", "true")
                .containsEntry("spark.executor.cores", "8")
                .containsEntry("spark.executor.memory", "99g");
        assertThat(run.out()).contains("--deploy-mode", "client", "options --conf spark.a=b");
    }

    @Test
    void theLauncherIsToldToPrint() throws Exception {
        Files.writeString(
                home.resolve("bin/rar-spark"), "#!/usr/bin/env bash\necho \"$RAR_SPARK_PRINT $RAR_SPARK_CONF\"\n");
        assertThat(submit("--print", "train", "--master", MASTER, "--recipe", "rar-b")
                        .out())
                .singleElement()
                .asString()
                .startsWith("yes " + home + "/deploy/standalone/spark.conf:");
        assertThat(submit("train", "--master", MASTER, "--recipe", "rar-b").out())
                .singleElement()
                .asString()
                .startsWith(" ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train | the master is missing: give --master spark://HOST:7077",
                "train --master yarn | the master is missing: give --master spark://HOST:7077",
                "'' | the command is missing: give tokenize, train, generate or fid, and its options",
                "--deploy-mode here train | cannot use --deploy-mode=here: give",
                "--executors none --master spark://host:7077 fid | cannot use none executors: give a whole number",
                "train --master spark://host:7077 --ranks 0 | cannot use 0 executors: give a whole number"
            })
    void whatCannotBeUsedIsNamed(String arguments, String message) throws Exception {
        Run run = submit(arguments.isEmpty() ? new String[0] : arguments.split(" "));
        assertThat(run.code()).isEqualTo(64);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).singleElement().asString().startsWith("submit: " + message);
    }
}
