package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.cli.html.Chart;
import io.github.rarspark.cli.html.Pages;
import io.github.rarspark.cli.sweep.Sweep;
import io.github.rarspark.cli.sweep.SweepJob;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TinyPipeline;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate --sweep} from the command line to the page. */
@Timeout(300)
class SweepCommandTest {
    @TempDir
    private static Path inputs;

    private static TinyPipeline tiny;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void write() throws IOException {
        tiny = TinyPipeline.write(inputs);
    }

    private int run(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return Main.execute(
                Commands.all(new StopRequest()),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Interruption.none(),
                args);
    }

    private int generate(Path output, String... more) {
        List<String> args =
                new ArrayList<>(List.of("generate", "--recipe", tiny.recipe().toString()));
        args.addAll(List.of(
                "--weights",
                tiny.weights().toString(),
                "--tokenizer",
                tiny.tokenizer().toString()));
        args.addAll(List.of("--output", output.toString(), "--master", "local[1]"));
        args.addAll(List.of(more));
        return run(args.toArray(String[]::new));
    }

    private int sweep(Path output, String values, String... more) {
        List<String> args = new ArrayList<>(List.of("--sweep", "generate.guidance_scale=" + values));
        args.addAll(List.of("--set", "fid.reference=" + tiny.images()));
        args.addAll(List.of("--set", "fid.features=classifier:" + tiny.classifier()));
        args.addAll(List.of(more));
        return generate(output, args.toArray(String[]::new));
    }

    @Test
    void aSweepIsTheJobsByHandAndComparesTheirScores() throws Exception {
        Path sweep = folder.resolve("sweep");
        assertThat(sweep(sweep, "0,8")).as(err::toString).isZero();
        assertThat(out.toString())
                .startsWith("generate --sweep: done in ")
                .containsPattern("points +2\n")
                .containsPattern("images +48\n")
                .containsPattern("guidance_scale +images +fd +class_agreement +fd_floor\n +0 +24 .*\n +8 +24 .*\n$")
                .contains("not comparable with FID");

        Path byHand = folder.resolve("by-hand");
        assertThat(generate(byHand, "--set", "generate.guidance_scale=8"))
                .as(err::toString)
                .isZero();
        assertThat(run(
                        "fid",
                        "--recipe",
                        tiny.recipe().toString(),
                        "--samples",
                        byHand.toString(),
                        "--reference",
                        tiny.images().toString(),
                        "--features",
                        "classifier:" + tiny.classifier(),
                        "--output",
                        folder.resolve("score").toString(),
                        "--master",
                        "local[1]"))
                .as(err::toString)
                .isZero();
        Path point = sweep.resolve("points/guidance_scale=8");
        assertThat(point.resolve("samples.npz")).hasSameBinaryContentAs(byHand.resolve("samples.npz"));
        assertThat(Files.mismatch(point.resolve("samples.npz"), sweep.resolve("points/guidance_scale=0/samples.npz")))
                .as("guidance alters the images")
                .isNotNegative();
        Map<String, Double> expected = result(folder.resolve("score")).metrics();
        assertThat(expected).containsKeys("fd", "class_agreement", "fd_floor");
        List<Map<String, String>> table = table(sweep);
        assertThat(table.get(1))
                .containsEntry("point", "guidance_scale=8")
                .containsEntry("generate.guidance_scale", "8")
                .containsEntry("images", "24");
        expected.forEach((metric, value) ->
                assertThat(table.get(1).get(metric)).as(metric).isEqualTo(value.toString()));

        double first = Double.parseDouble(table.get(0).get("fd"));
        double second = Double.parseDouble(table.get(1).get("fd"));
        assertThat(result(sweep).metrics()).containsEntry("best_fd", Math.min(first, second));
        String page = Files.readString(sweep.resolve("sweep.html"));
        Chart chart = Json.read(Pages.scripts(page).get(1).getBytes(StandardCharsets.UTF_8), Chart.class, "the page");
        assertThat(chart)
                .isEqualTo(new Chart(
                        "fd, lower is better",
                        "guidance_scale",
                        List.of(),
                        List.of(0.0, 8.0),
                        List.of(new Chart.Line("fd", List.of(first, second)))));
        assertThat(Pages.parse(page).getElementsByTagName("tr").getLength()).isEqualTo(3);
        assertThat(Pages.attributes(page, "class")).contains("best");
        assertThat(Pages.attributes(page, "href"))
                .containsExactly("points/guidance_scale=0/grid.png", "points/guidance_scale=8/grid.png")
                .allSatisfy(grid -> assertThat(sweep.resolve(grid)).exists());
        assertThat(Pages.attributes(page, "src")).hasSize(2).doesNotHaveDuplicates();
        try (Stream<Path> folders = Files.list(sweep.resolve("features"))) {
            assertThat(folders).as("two sets and one reference").hasSize(3);
        }
    }

    @Test
    void aFinishedSweepIsShownAgainAndKeptFromOthers() throws Exception {
        Path sweep = folder.resolve("sweep");
        assertThat(sweep(sweep, "0,8")).as(err::toString).isZero();
        String table = out.toString().substring(out.toString().indexOf("  guidance_scale"));
        Map<String, String> files = files(sweep);
        assertThat(sweep(sweep, "0,8")).as(err::toString).isZero();
        assertThat(out.toString())
                .startsWith("generate --sweep: already finished at ")
                .endsWith(table);
        assertThat(sweep(sweep, "0,8,16")).isEqualTo(73);
        assertThat(err.toString())
                .contains("it belongs to another run, the input '--sweep generate.guidance_scale' differs")
                .containsOnlyOnce("\n");
        assertThat(generate(sweep)).isEqualTo(73);
        assertThat(err.toString()).contains("the command was generate --sweep, not generate");
        assertThat(files(sweep)).isEqualTo(files);

        new Storage(new Configuration()).delete(sweep.resolve("scores").toString());
        assertThat(sweep(sweep, "0,8", "--json", folder.resolve("again.json").toString()))
                .as(err::toString)
                .isZero();
        assertThat(out.toString()).doesNotContain("guidance_scale");
        assertThat(folder.resolve("again.json")).exists();
    }

    @Test
    void anInterruptedSweepResumesAtThePointThatIsMissing() throws Exception {
        Path sweep = folder.resolve("sweep");
        String[] more = {"--set", "generate.count=180", "--set", "generate.shard_images=6"};
        Path secondPoint = sweep.resolve("points/guidance_scale=8");
        try (SparkSession session = LocalSpark.start(1)) {
            Recipe recipe = Recipe.resolve(
                    Layer.commandLine(Map.of(
                            "generate.weights", tiny.weights().toString(),
                            "generate.tokenizer", tiny.tokenizer().toString(),
                            "generate.output", sweep.toString(),
                            "generate.count", "180",
                            "generate.shard_images", "6",
                            "fid.reference", tiny.images().toString(),
                            "fid.features", "classifier:" + tiny.classifier())),
                    Recipes.parse(Files.readString(tiny.recipe()), "tiny"));
            Sweep settings = Sweep.of(List.of("generate.guidance_scale=0,8"), recipe);
            FutureTask<JobResult> run =
                    new FutureTask<>(() -> SweepJob.run(JobContext.of(session, recipe, true), settings));
            new Thread(run, "sweep").start();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(120))
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> run.isDone() || Files.exists(secondPoint.resolve("shard-00000-of-00030.parquet")));
            assertThat(run).isNotDone();
            session.stop();
            assertThatThrownBy(() -> run.get(60, TimeUnit.SECONDS))
                    .satisfies(e -> assertThat(Failures.exitCode(e)).isEqualTo(ExitCode.INTERRUPTED));
        }
        assertThat(result(sweep).status()).isEqualTo(JobResult.Status.INTERRUPTED);
        assertThat(secondPoint.resolve("_manifest.json")).doesNotExist();
        Map<String, String> finished = new HashMap<>(files(sweep.resolve("points/guidance_scale=0")));
        finished.putAll(files(sweep.resolve("scores/guidance_scale=0")));
        assertThat(finished).hasSizeGreaterThan(30);

        assertThat(sweep(sweep, "0,8", more)).as(err::toString).isZero();
        assertThat(files(sweep)).containsAllEntriesOf(finished);
        assertThat(result(secondPoint).counts().get("images_resumed")).isBetween(6L, 174L);
        assertThat(table(sweep)).hasSize(2);
    }

    @Test
    void whatCannotBeScoredIsRefusedBeforeImagesAreMade() {
        Path sweep = folder.resolve("sweep");
        assertThat(generate(
                        sweep,
                        "--sweep=generate.guidance_scale=1,2",
                        "--set=fid.reference=" + folder.resolve("none"),
                        "--set=fid.features=classifier:" + tiny.classifier()))
                .isEqualTo(66);
        assertThat(err.toString()).contains("none: it does not exist");
        assertThat(generate(
                        sweep,
                        "--sweep=generate.guidance_scale=1,2",
                        "--set=fid.reference=" + tiny.images(),
                        "--set=fid.features=classifier:" + tiny.weights()))
                .isEqualTo(65);
        assertThat(generate(sweep, "--sweep=generate.guidance_scale=1,2")).isEqualTo(64);
        assertThat(err.toString())
                .contains("Cannot use --sweep without fid.reference")
                .containsOnlyOnce("\n");
        assertThat(sweep).doesNotExist();
    }

    private static JobResult result(Path output) throws IOException {
        return Json.read(Files.readAllBytes(output.resolve(JobResult.NAME)), JobResult.class, "result");
    }

    /** The rows of the table, by the names of the columns. */
    private static List<Map<String, String>> table(Path sweep) throws IOException {
        List<String> lines = Files.readAllLines(sweep.resolve("sweep.csv"));
        List<Map<String, String>> rows = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            Map<String, String> row = new HashMap<>();
            String[] names = lines.get(0).split(",", -1);
            String[] values = line.split(",", -1);
            assertThat(values).hasSameSizeAs(names);
            for (int i = 0; i < names.length; i++) {
                row.put(names[i], values[i]);
            }
            rows.add(row);
        }
        return rows;
    }

    /** The files below a folder, with the time of their last change. */
    private static Map<String, String> files(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
                files.put(path.toString(), Files.getLastModifiedTime(path).toString());
            }
        }
        return files;
    }
}
