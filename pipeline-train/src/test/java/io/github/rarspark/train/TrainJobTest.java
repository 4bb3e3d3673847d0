package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.ScanOrder;
import io.github.rarspark.kernel.tensor.DeterministicMode;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.train.coordinator.Report;
import io.github.rarspark.train.tensorboard.EventReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class TrainJobTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(3);

    @TempDir
    Path folder;

    private String tokens;

    @BeforeEach
    void makeTokens() throws IOException {
        tokens = Runs.tokens(folder);
    }

    @AfterEach
    void nothingStaysOpen() {
        // A rank may still be leaving when the job has failed because of another one.
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            assertThat(Handles.live()).isZero();
            assertThat(DeterministicMode.isOn())
                    .as("the mode outlives its ranks")
                    .isFalse();
        });
    }

    private JobResult train(Path output, String... keysAndValues) throws IOException {
        return TrainJob.run(SPARK.context(Runs.recipe(tokens, output, keysAndValues)));
    }

    @Test
    void twoRanksLearnAndLeaveACompleteRun() throws IOException {
        Path output = folder.resolve("run");
        JobResult result = train(output, "train.steps", "60", "train.checkpoint_every", "20", "train.anneal_end", "30");

        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.counts()).containsEntry("steps", 60L).containsEntry("images", 720L);
        List<String> lines = Files.readAllLines(output.resolve(MetricsLog.NAME));
        assertThat(lines).hasSize(60);
        assertThat(lines.get(0)).contains("\"step\":1,").contains("\"learning_rate\":0.0,");
        assertThat(result.metrics().get("loss")).isLessThan(0.75 * Math.log(Runs.CODES));
        assertMetrics(lines);
        assertThat(output.resolve("checkpoints/LAST")).content().matches("step-000000060-a1-r0-[0-9a-f]{8}\n");
        assertThat(checkpoint(output, 20))
                .isDirectoryContaining("glob:**/{model,optimizer}.safetensors")
                .isDirectoryContaining("glob:**/manifest.json")
                .isDirectoryContaining("glob:**/state.json");
        assertThat(output.resolve("recipe.yaml")).content().contains("train:");
        TensorFile model = TensorFile.open(output.resolve("model.safetensors"));
        assertThat(model.metadata()).containsEntry("kind", "rar").containsEntry("step", "60");
    }

    @Test
    void theModelKeepsTheNamesOfItsClasses() throws IOException {
        String named = folder.resolve("named").toString();
        TokenSets.write(
                new Storage(new Configuration()),
                named,
                4,
                Runs.CODES,
                List.of("ant", "bee", "cow", "dog"),
                i -> new TokenRow(Long.toString(i), (int) (i % 4), 0, new long[16]),
                24);
        TrainJob.run(SPARK.context(Runs.recipe(named, folder.resolve("run"))));
        assertThat(TensorFile.open(folder.resolve("run/model.safetensors")).metadata())
                .containsEntry("class_names", "[\"ant\",\"bee\",\"cow\",\"dog\"]");
    }

    /** Of a run that anneals from step 4 to 30. */
    private static void assertMetrics(List<String> lines) {
        for (Report.Progress line : metrics(lines)) {
            assertThat(line.permutationProbability())
                    .isEqualTo(Math.min(1, Math.max(0, 1 - (line.step() - 1 - 4) / 26.0)), within(1e-12));
            if (line.step() <= 5) {
                assertThat(line.lossPermuted()).isEqualTo(line.loss(), within(1e-6));
                assertThat(line.lossScanOrder()).isNull();
            } else if (line.step() > 30) {
                assertThat(line.lossPermuted()).isNull();
                assertThat(line.lossScanOrder()).isEqualTo(line.loss(), within(1e-6));
            }
            Report.TimeShares time = line.timeShares();
            List<Double> shares =
                    List.of(time.data(), time.forward(), time.backward(), time.allReduce(), time.optimizer());
            assertThat(shares).as("time of step " + line.step()).allMatch(share -> share >= 0);
            // How much of the step they make up is the machine's affair: a step may have waited for a core.
            assertThat(shares.stream().mapToDouble(share -> share).sum()).isLessThanOrEqualTo(1);
            assertThat(time.forward()).isPositive();
            assertThat(time.backward() + time.allReduce()).isPositive();
        }
        assertThat(metrics(lines))
                .filteredOn(line -> line.lossPermuted() != null && line.lossScanOrder() != null)
                .hasSizeGreaterThan(10)
                .allSatisfy(line -> assertThat(line.loss())
                        .isBetween(
                                Math.min(line.lossPermuted(), line.lossScanOrder()) - 1e-6,
                                Math.max(line.lossPermuted(), line.lossScanOrder()) + 1e-6));
    }

    private static List<Report.Progress> metrics(List<String> lines) {
        return lines.stream()
                .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), Report.Progress.class, "metrics"))
                .toList();
    }

    @Test
    void aFinishedRunIsLeftAlone() throws IOException {
        Path output = folder.resolve("run");
        JobResult first = train(output);
        Files.delete(output.resolve("checkpoints/LAST"));
        assertThat(train(output)).isEqualTo(first);
        assertThat(train(output, "train.ranks", "4"))
                .as("more than there are slots")
                .isEqualTo(first);
        assertThat(output.resolve("checkpoints/LAST")).doesNotExist();
    }

    @Test
    void anyNumberOfRanksTrainsTheSameModel() throws IOException {
        train(folder.resolve("seed"), "seed", "1");
        train(folder.resolve("one"), "train.ranks", "1");
        train(folder.resolve("two"), "train.ranks", "2");
        train(folder.resolve("three"), "train.ranks", "3", "train.micro_batch", "2");

        assertThat(largestDifference("one", "seed")).isGreaterThan(1e-2);
        assertThat(largestDifference("one", "two")).isLessThan(2e-5);
        assertThat(largestDifference("one", "three")).isLessThan(2e-5);
        assertThat(splitLosses("two")).containsExactly(splitLosses("one"), within(1e-4));
        assertThat(splitLosses("three")).containsExactly(splitLosses("one"), within(1e-4));
    }

    /** The losses of permuted samples, then those of the others, -1 where there are none. */
    private double[] splitLosses(String run) throws IOException {
        List<Report.Progress> lines =
                metrics(Files.readAllLines(folder.resolve(run).resolve(MetricsLog.NAME)));
        return Stream.concat(
                        lines.stream().map(Report.Progress::lossPermuted),
                        lines.stream().map(Report.Progress::lossScanOrder))
                .mapToDouble(loss -> loss == null ? -1 : loss)
                .toArray();
    }

    /**
     * What the paper compares: models with and without adaLN and target-aware positions, orders to anneal to, and
     * training in one order or in random orders throughout. Each trains, and to other weights.
     */
    @Test
    void everyVariantOfThePaperTrains() throws IOException {
        Set<String> weights = new HashSet<>();
        for (String[] variant : new String[][] {
            {"train.scan_order", "row-major"},
            {"train.scan_order", "alternate"},
            {"train.scan_order", "z-curve"},
            {"train.scan_order", "subsample"},
            {"train.scan_order", "spiral-in"},
            {"train.scan_order", "spiral-out"},
            {"train.anneal_start", "0", "train.anneal_end", "0"},
            {"train.anneal_start", "6", "train.anneal_end", "6"},
            {"model.conditioning", "plain"},
            {"model.target_aware", "false"}
        }) {
            List<String> settings = new ArrayList<>(List.of(
                    "train.steps", "6", "train.ranks", "1", "train.anneal_start", "1", "train.anneal_end", "3"));
            settings.addAll(List.of(variant));
            String name = String.join("-", variant);
            JobResult result = train(folder.resolve(name), settings.toArray(String[]::new));
            assertThat(result.metrics().get("loss")).as(name).isFinite();
            assertThat(weights.add(Sha256.of(Runs.model(folder.resolve(name)))))
                    .as(name)
                    .isTrue();
        }
    }

    @Test
    void mergedPositionsAreNotTrainedAndMeasuredInTheirOrderAlone() throws IOException {
        train(folder.resolve("run"));
        TensorFile trained = TensorFile.open(folder.resolve("run/model.safetensors"));
        Path merged = folder.resolve("merged.safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.load(trained, manager);
                OutputStream out = Files.newOutputStream(merged)) {
            Safetensors.write(out, MergedPositions.metadata(trained.metadata(), ScanOrder.Z_CURVE), tensors.asMap());
        }
        Path output = folder.resolve("other");
        String message = "positions are merged for the order z-curve";
        refused(ExitCode.DATA, message, output, "train.init", merged.toString());
        refused(ExitCode.DATA, message, output, "train.init", merged.toString(), "train.evaluate", "true");
        assertThat(output).doesNotExist();
        JobResult result =
                train(output, "train.init", merged.toString(), "train.evaluate", "true", "train.scan_order", "z-curve");
        assertThat(result.metrics().get("loss")).isFinite();
    }

    @Test
    void activationCheckpointingTrainsTheSameBits() throws IOException {
        for (String precision : List.of("fp32", "bf16")) {
            String[] settings = {
                "train.precision", precision, "train.micro_batch", "2", "train.ranks", "3", "model.layers", "3"
            };
            Path kept = folder.resolve("kept-" + precision);
            Path recomputed = folder.resolve("recomputed-" + precision);
            train(kept, settings);
            List<String> checkpointing = new ArrayList<>(List.of("train.activation_checkpointing", "true"));
            checkpointing.addAll(List.of(settings));
            train(recomputed, checkpointing.toArray(String[]::new));
            assertThat(Runs.model(recomputed)).as(precision).isEqualTo(Runs.model(kept));
            // It is the same plan, so that a run that ran out of memory resumes with it.
            train(kept, checkpointing.toArray(String[]::new));
        }
        assertThat(Runs.model(folder.resolve("kept-bf16"))).isNotEqualTo(Runs.model(folder.resolve("kept-fp32")));
    }

    private double largestDifference(String left, String right) throws IOException {
        TensorFile a = TensorFile.open(folder.resolve(left).resolve("model.safetensors"));
        TensorFile b = TensorFile.open(folder.resolve(right).resolve("model.safetensors"));
        double largest = 0;
        for (String name : a.names()) {
            float[] x = a.floats(name);
            float[] y = b.floats(name);
            // A key's bias has no gradient but rounding, which AdamW blows up to whole steps.
            for (int i = 0; i < x.length && !name.endsWith("k_norm.bias"); i++) {
                largest = Math.max(largest, Math.abs(x[i] - y[i]));
            }
        }
        return largest;
    }

    @Test
    void aResumedRunEndsWithTheBitsOfAnUninterruptedOne() throws IOException {
        train(folder.resolve("seed"), "seed", "1");
        Path whole = folder.resolve("whole");
        train(whole);
        assertThat(Runs.model(whole)).isNotEqualTo(Runs.model(folder.resolve("seed")));

        // What a driver leaves that died after the checkpoint of step 4 counted, while that of step 8 was written.
        Path cut = folder.resolve("cut");
        copy(whole, cut);
        Files.delete(cut.resolve("result.json"));
        Files.delete(cut.resolve("model.safetensors"));
        Files.delete(checkpoint(cut, 8).resolve("manifest.json"));
        Files.delete(checkpoint(cut, 12).resolve("manifest.json"));
        // As an earlier version names it, without the driver.
        Files.move(checkpoint(cut, 4), cut.resolve("checkpoints/step-000000004-a1"));
        Files.writeString(cut.resolve("checkpoints/LAST"), "step-000000004-a1\n");
        assertThat(train(cut).counts())
                .as("of the whole run")
                .containsEntry("steps", 12L)
                .containsEntry("images", 144L);

        assertThat(cut.resolve("checkpoints/LAST")).content().matches("step-000000012-a2-r0-[0-9a-f]{8}\n");
        assertThat(Runs.model(cut)).isEqualTo(Runs.model(whole));
        assertThat(Files.readAllLines(cut.resolve(MetricsLog.NAME))).hasSize(12);
        assertThat(EventReader.values(EventReader.folder(cut), "loss/all"))
                .extracting(EventReader.Value::step)
                .isEqualTo(LongStream.rangeClosed(1, 12).boxed().toList());
    }

    /** The folder of the checkpoint after {@code step} updates. */
    private static Path checkpoint(Path output, int step) throws IOException {
        try (Stream<Path> all = Files.list(output.resolve("checkpoints"))) {
            return all.filter(folder -> folder.getFileName().toString().startsWith("step-%09d-".formatted(step)))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Files.createDirectories(to.resolve(from.relativize(directory)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, to.resolve(from.relativize(file)));
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Test
    void evaluationMeasuresGivenWeights() throws IOException {
        train(folder.resolve("run"), "train.steps", "60", "train.anneal_end", "30", "train.anneal_start", "0");
        String weights = folder.resolve("run/model.safetensors").toString();
        String[] evaluate = {"train.evaluate", "true", "train.init", weights};
        Map<String, Double> losses = train(folder.resolve("loss"), evaluate).metrics();
        double loss = losses.get("loss");
        assertThat(loss).isBetween(0.1, 0.8 * Math.log(Runs.CODES));
        // It was trained in random orders at first, then in the scan order only.
        assertThat(losses.get("loss_permuted")).isBetween(1.05 * loss, Math.log(Runs.CODES));
        // The batch of an evaluation only groups the arithmetic.
        Map<String, Double> regrouped = train(
                        folder.resolve("regrouped"),
                        "train.evaluate",
                        "true",
                        "train.init",
                        weights,
                        "train.batch",
                        "22")
                .metrics();
        assertThat(regrouped.get("loss")).isCloseTo(loss, within(1e-6));
        assertThat(regrouped.get("loss_permuted")).isCloseTo(losses.get("loss_permuted"), within(1e-6));
        assertThat(folder.resolve("loss/checkpoints")).doesNotExist();
        refused(ExitCode.USAGE, "train.init", folder.resolve("none"), "train.evaluate", "true");
        refused(
                ExitCode.DATA,
                "shape",
                folder.resolve("none"),
                "train.evaluate",
                "true",
                "train.init",
                weights,
                "model.hidden",
                "16");
    }

    @Test
    void wrongRequestsAreOneLineAndWriteNothing() throws IOException {
        Path output = folder.resolve("run");
        refused(
                ExitCode.NO_INPUT,
                "--tokens",
                output,
                "train.tokens",
                folder.resolve("none").toString());
        refused(
                ExitCode.UNAVAILABLE,
                "Cannot start 4 ranks (train.ranks) on 3 local task slots",
                output,
                "train.ranks",
                "4");
        refused(
                ExitCode.NO_INPUT,
                "--init",
                output,
                "train.init",
                folder.resolve("none").toString());
        assertThat(output).doesNotExist();

        Path tokenizer = Runs.tokenizer(folder.resolve("tokenizer.safetensors"), 64);
        refused(ExitCode.DATA, "(64 codes)", output, "train.tokenizer", tokenizer.toString());
        assertThat(output).doesNotExist();

        train(output);
        refused(ExitCode.OUTPUT_EXISTS, "train.lr is 0.001, was 0.003", output, "train.lr", "0.001");
        assertThat(Files.readString(output.resolve("recipe.yaml"))).contains("0.003");
    }

    @Test
    void tokensOutsideOfTheVocabularyStopEveryRank() {
        refused(
                ExitCode.DATA,
                "expected 0 to 15",
                folder.resolve("other"),
                "tokenizer.codes",
                "16",
                "model.codes",
                "16");
    }

    @Test
    void aTokenizerGivesPicturesOfTheModelInTraining() throws IOException {
        Path tokenizer = Runs.tokenizer(folder.resolve("tokenizer.safetensors"), Runs.CODES);
        Path output = folder.resolve("run");
        train(output, "train.tokenizer", tokenizer.toString(), "train.sample_every", "8");
        for (String name : List.of("step-000000008.png", "step-000000012.png")) {
            RgbImage picture = new ImageDecoder().decode(Files.readAllBytes(output.resolve("samples/" + name)), name);
            assertThat(picture.height()).isEqualTo(4 * 8 + 5 * 2);
            assertThat(picture.width()).isEqualTo(8 * 8 + 9 * 2);
        }
        assertThat(output.resolve("samples/classes.txt")).content().isEqualTo("class 0\nclass 1\nclass 2\nclass 3\n");
        assertThat(EventReader.values(EventReader.folder(output), "samples/class 3"))
                .extracting(EventReader.Value::step)
                .containsExactly(8L, 12L);
    }

    private void refused(ExitCode code, String words, Path output, String... keysAndValues) {
        Recipe recipe = Runs.recipe(tokens, output, keysAndValues);
        assertFails(code, () -> TrainJob.run(SPARK.context(recipe))).contains(words);
    }

    @Test
    void aLossThatIsNotFiniteStopsEveryRank() {
        Recipe recipe = Runs.recipe(tokens, folder.resolve("run"), "train.lr", "1e30", "train.warmup_steps", "0");
        assertFails(ExitCode.DATA, () -> TrainJob.run(SPARK.context(recipe))).contains("is not finite");
    }
}
