package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.NativeException;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<Recipe> recipes = new ArrayList<>();
    private Interruption interruption = Interruption.none();
    private JobDefinition.Start job = context -> {
        recipes.add(context.recipe());
        assertThat(context.session().sparkContext().master()).isEqualTo("local[1]");
        return result(context, Instant.now());
    };

    @TempDir
    Path folder;

    private static JobResult result(JobContext context, Instant started) {
        return JobResult.done(
                Plan.of("train", context.recipe().resultSettings(), Map.of(), Map.of()),
                started,
                1.25,
                Map.of("steps", 300L),
                Map.of("loss", 2.5),
                List.of("odd data"));
    }

    private int run(String... args) {
        return end(args).code();
    }

    private Main.Ending end(String... args) {
        JobDefinition train = new JobDefinition(
                "train",
                "Trains.",
                "demo",
                "train",
                List.of("model"),
                List.of("tokens", "output"),
                List.of("init", "ranks"),
                context -> job.run(context));
        JobDefinition fid = new JobDefinition(
                "fid", "Scores.", "demo", "fid", List.of(), List.of(), List.of("floor"), context -> job.run(context));
        JobDefinition tokenize = new JobDefinition(
                "tokenize",
                "Tokenizes.",
                "demo",
                "tokenize",
                List.of(),
                List.of(),
                List.of("check"),
                context -> job.run(context));
        return Main.run(
                List.of(
                        JobCommand.of(train, new StopRequest()),
                        JobCommand.of(fid, new StopRequest()),
                        JobCommand.of(tokenize, new StopRequest())),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                interruption,
                args);
    }

    private int runJob(String... more) {
        List<String> args = new ArrayList<>(List.of("train", "--tokens=t", "--out", "o", "--master", "local[1]"));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    @Test
    void optionsAreRecipeKeys() {
        assertThat(runJob("--ranks", "4", "--set", "train.lr=0.5", "--set=image.crops=center"))
                .as(err::toString)
                .isZero();
        Recipe recipe = recipes.get(0);
        assertThat(recipe.train().tokens()).isEqualTo("t");
        assertThat(recipe.train().output()).isEqualTo("o");
        assertThat(recipe.train().ranks()).isEqualTo(4);
        assertThat(recipe.train().lr()).isEqualTo(0.5);
        assertThat(recipe.get("image.crops")).isEqualTo("center");
        assertThat(recipe.model().codes()).as("from the recipe demo").isEqualTo(512);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void flagsAreRecipeKeys() {
        assertThat(run("fid", "--floor", "--recipe=rar-b", "--master=local[1]"))
                .as(err::toString)
                .isZero();
        assertThat(run("fid", "--recipe=rar-b", "--master=local[1]")).isZero();
        assertThat(recipes).extracting(recipe -> recipe.fid().floor()).containsExactly(true, false);
    }

    @Test
    void resultIsPrintedAndWritten() throws Exception {
        Path json = folder.resolve("result here.json");
        assertThat(runJob("--json", json.toString())).isZero();
        assertThat(out.toString())
                .isEqualTo(
                        """
                        train: done in 1.3 s
                          steps                    300
                          loss                     2.50000
                          warning: odd data
                        """);
        assertThat(Json.read(Files.readAllBytes(json), JobResult.class, "result")
                        .metrics())
                .containsEntry("loss", 2.5);
    }

    @Test
    void whatAnEarlierRunFinishedIsSaidToBeNotVerified() throws Exception {
        Path json = folder.resolve("result.json");
        Instant noon = Instant.parse("2025-01-01T12:00:00Z");
        job = context -> result(context, noon);
        assertThat(runJob("--json", json.toString())).isZero();
        assertThat(out.toString())
                .startsWith("train: already finished at 2025-01-01T12:00:01Z; its files are not verified\n");
        assertThat(Json.read(Files.readAllBytes(json), JobResult.class, "result"))
                .satisfies(result -> assertThat(result.started()).isEqualTo(noon));

        out.getBuffer().setLength(0);
        assertThat(run("tokenize", "--master=local[1]")).isZero();
        assertThat(out.toString()).contains("its files are not verified; tokenize --check verifies them\n");
    }

    @Test
    void aResultThatCannotBeWrittenIsRefusedBeforeTheWork() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        jsonIsRefused(folder.toString(), 64, "it is a directory; choose another name");
        jsonIsRefused(file + "/result.json", 64, "a file has the name of a parent directory");
        jsonIsRefused(folder.resolve("n".repeat(300)).toString(), 64, "a name in the path is too long");
        jsonIsRefused("gs://bucket/result.json", 64, "no file system for the scheme gs");
        assertThat(folder).isDirectoryContaining(path -> path.equals(file)).isDirectoryNotContaining("glob:**/._*");
        assertThat(file).hasContent("mine");
    }

    @Test
    @Tag("fault")
    void aResultOnAReadOnlyDiskIsRefusedBeforeTheWork() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder, 1 << 20)) {
            disk.makeReadOnly();
            jsonIsRefused(disk.path().resolve("a/result.json").toString(), 69, "the file system is read-only");
        }
    }

    private void jsonIsRefused(String json, int code, String why) {
        err.getBuffer().setLength(0);
        assertThat(runJob("--json", json)).as(err::toString).isEqualTo(code);
        assertThat(err.toString()).contains(why).containsOnlyOnce("\n");
        assertThat(recipes).isEmpty();
    }

    @Test
    void aReportThatCannotBeWrittenIsRefusedBeforeTheWork() {
        assertThat(Main.execute(
                        Commands.all(new StopRequest()),
                        new PrintWriter(out, true),
                        new PrintWriter(err, true),
                        interruption,
                        "weights",
                        "inspect",
                        "--json",
                        folder.toString(),
                        "none.safetensors"))
                .isEqualTo(64);
        assertThat(err.toString())
                .contains("it is a directory; choose another name")
                .containsOnlyOnce("\n");
    }

    @Test
    void quietPrintsNothing() {
        assertThat(runJob("--quiet")).isZero();
        assertThat(out.toString() + err).isEmpty();
    }

    @Test
    void recipeMayBeAFile() throws Exception {
        Path file = Files.writeString(folder.resolve("mine.yaml"), "extends: rar-l\ntrain: {lr: 0.125}\n");
        assertThat(runJob("--recipe", file.toUri().toString()))
                .as(err::toString)
                .isZero();
        assertThat(recipes.get(0).train().lr()).isEqualTo(0.125);
        assertThat(recipes.get(0).model().hidden()).isEqualTo(1024);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "trian | Unknown command trian; did you mean train?",
                "frobnicate | Unknown command frobnicate; see rar-spark --help",
                "'' | Missing command; see rar-spark --help",
                "train --otuput x | Unknown option --otuput; did you mean --output?",
                "train --rank=3 | Unknown option --rank; did you mean --ranks?",
                "train --xyzzyxyzzy | Unknown option --xyzzyxyzzy; see rar-spark train --help",
                "train stray | Unexpected argument stray; see rar-spark train --help",
                "train --set train.lr | rar-spark: Value for option '--set' (KEY=VALUE) should be in KEY=VALUE format",
                "train --tokens t | Cannot run train without train.output: give --output or set the key",
                "train --set train.lrr=1 | Unknown key train.lrr (from the command line); did you mean train.lr",
                "train --ranks two | Cannot use train.ranks=two (from the command line): give integer of at least 1",
                "train --ranks 99999999999 | give integer of at least 1 and at most 2147483647",
                "train --ranks 3 | Cannot use train.batch=64 with train.ranks=3",
                "train --tokens t --output o --master locl[2] | Cannot use spark.master=locl[2]: give local[N], yarn",
                "train --tokens t --output o --master local[two] | Cannot use spark.master=local[two]: give local[N]",
                "train --tokens t --output o --master local[0] | Cannot use spark.master=local[0]: give local[N]",
                "train --recipe demmo | Unknown recipe demmo; did you mean demo?"
            })
    void wrongUsageIsOneLineAndNothingRuns(String args, String message) {
        assertThat(run(args.isEmpty() ? new String[0] : args.split(" "))).isEqualTo(64);
        assertThat(err.toString()).startsWith("rar-spark: ").contains(message).containsOnlyOnce("\n");
        assertThat(recipes).isEmpty();
    }

    @Test
    void withoutACommandTheHelpIsShown() {
        assertThat(run()).isEqualTo(64);
        assertThat(out.toString()).contains("Usage: rar-spark", "Trains.", "Scores.");
    }

    @Test
    void aMasterThatSparkDoesNotKnowIsWrongUsage() {
        assertThat(run("train", "--tokens=t", "--out=o", "--master=sparc://host:7077"))
                .isEqualTo(64);
        assertThat(err.toString()).contains("Could not parse Master URL").containsOnlyOnce("\n");
    }

    @Test
    @Timeout(60)
    void aRecipeMayComeFromAPipe() throws Exception {
        Path pipe = folder.resolve("recipe.yaml");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Process writer = new ProcessBuilder("sh", "-c", "echo 'train: {lr: 0.125}' > '" + pipe + "'").start();
        try {
            assertThat(runJob("--recipe", pipe.toString())).isZero();
            assertThat(recipes.get(0).train().lr()).isEqualTo(0.125);
        } finally {
            writer.destroyForcibly();
        }
    }

    @Test
    void missingRecipeFileIsMissingInput() {
        assertThat(runJob("--recipe", "none/here.yaml")).isEqualTo(66);
        assertThat(err.toString()).contains("Cannot read --recipe none/here.yaml: it does not exist");
    }

    /** What a driver leaves for its submitter. */
    @Test
    void theEndOfAJobIsItsResultOrTheLineOfItsFailure() {
        String[] args = {"train", "--tokens=t", "--out", "o", "--master", "local[1]"};
        Main.Ending done = end(args);
        assertThat(done.result())
                .hasValueSatisfying(result -> assertThat(result.counts()).containsEntry("steps", 300L));
        assertThat(done.message()).isEmpty();
        job = context -> {
            throw new JobException(ExitCode.TEMPORARY, "Cannot write to o: another is at it");
        };
        assertThat(end(args)).isEqualTo(new Main.Ending(75, "Cannot write to o: another is at it", Optional.empty()));
        assertThat(end("--version")).isEqualTo(new Main.Ending(0, "", Optional.empty()));
    }

    @Test
    void failuresBecomeExitCodesAndOneLine() {
        job = context -> {
            throw new JobException(ExitCode.OUTPUT_EXISTS, "Cannot write to o: it belongs to another run");
        };
        assertThat(runJob()).isEqualTo(73);
        assertThat(err.toString()).isEqualToIgnoringNewLines("rar-spark: Cannot write to o: it belongs to another run");
    }

    @Test
    void ourFaultPointsToTheLog() {
        job = context -> {
            throw new IllegalStateException("impossible\nmore");
        };
        assertThat(runJob()).isEqualTo(70);
        assertThat(err.toString()).contains("impossible (the stack trace is in").containsOnlyOnce("\n");
    }

    @Test
    void errorsBecomeExitCodesAndOneLine() {
        job = context -> {
            throw new ExceptionInInitializerError(new NativeException("Cannot load libtorch"));
        };
        assertThat(runJob()).isEqualTo(70);
        assertThat(err.toString())
                .contains("rar-spark: Cannot load libtorch (the stack trace is in")
                .containsOnlyOnce("\n");
        job = context -> {
            throw new StackOverflowError();
        };
        assertThat(runJob()).isEqualTo(70);
    }

    @Test
    void sessionEndsWithAFailure() {
        job = context -> {
            throw new FileNotFoundException("x");
        };
        assertThat(runJob()).isEqualTo(66);
        job = context -> {
            assertThat(context.session().sparkContext().isStopped()).isFalse();
            throw new JobException(ExitCode.TEMPORARY, "again");
        };
        assertThat(runJob()).isEqualTo(75);
    }

    @Test
    void interruptionIsSaidOnceInsteadOfWhatFailsBecauseOfIt() {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        job = context -> {
            interruption.shutDown(new PrintStream(said, true, StandardCharsets.UTF_8), new StopRequest());
            throw new IllegalStateException("SparkContext was shut down");
        };
        assertThat(runJob()).isEqualTo(130);
        assertThat(err.toString()).isEmpty();
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("interrupted");
    }

    @Test
    void helpListsOptionsKeysAndDefaults() {
        assertThat(run("train", "--help")).isZero();
        assertThat(out.toString())
                .contains("--tokens", "--out", "Token shards to train on.")
                .contains("train.batch=64", "model.hidden=", "spark.master=", "seed=0", "docs/recipes.md")
                .contains("whole share.")
                .doesNotContain("generate.count");
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("Usage: rar-spark", "Trains.");
    }

    @Test
    void versionIsTheBuilds() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("rar-spark \\d+\\.\\d+\\.\\d+\\S*\n");
    }
}
