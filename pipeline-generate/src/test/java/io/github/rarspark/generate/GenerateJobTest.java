package io.github.rarspark.generate;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.ScanOrder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class GenerateJobTest {
    private static final int SIZE = 8;

    @TempDir
    private static Path models;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    private static TinyModels tiny;

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        tiny = TinyModels.write(models);
    }

    @Test
    void anyNumberOfShardsHoldsTheSameImages() throws IOException {
        run("three", Map.of("generate.shard_images", "12"));
        run("seven", Map.of("generate.shard_images", "4"));
        assertThat(manifest("three").shards()).hasSize(3);
        assertThat(manifest("seven").shards()).hasSize(7);
        assertThat(hashes("three")).hasSize(28).isEqualTo(hashes("seven"));
    }

    /** Of which the batch is the last: it divides neither the shards nor the whole. */
    @Test
    void theSameBytesAtAnyBatchAndThreads() throws IOException {
        run("base", Map.of("generate.batch", "1"));
        String npz = storage.sha256(path("base", SampleSet.NPZ));
        run("other", Map.of("generate.batch", "1", "generate.seed", "1"));
        assertThat(storage.sha256(path("other", SampleSet.NPZ))).isNotEqualTo(npz);
        for (Map<String, String> settings : List.of(
                Map.of("generate.batch", "8", "generate.threads", "2"),
                Map.of("generate.batch", "32"),
                Map.of("generate.batch", "5", "generate.threads", "2"))) {
            String name = "run-" + settings.hashCode();
            run(name, settings);
            assertThat(manifest(name).shards())
                    .as("%s", settings)
                    .isEqualTo(manifest("base").shards());
            assertThat(storage.sha256(path(name, SampleSet.NPZ)))
                    .as("%s", settings)
                    .isEqualTo(npz);
        }
    }

    @Test
    void anInterruptedRunGoesOnWithAnotherBatchAndOtherThreads() throws IOException {
        run("run", Map.of("generate.batch", "4"));
        SamplesManifest uninterrupted = manifest("run");
        Path output = folder.resolve("run");
        Files.delete(output.resolve(uninterrupted.shards().get(1).name()));
        Files.delete(output.resolve(Manifest.NAME));
        Files.delete(output.resolve(JobResult.NAME));
        Map<String, String> changed =
                Map.of("generate.batch", "7", "generate.threads", "2", "generate.shard_images", "5");
        assertThat(run("run", changed).counts()).containsEntry("images_resumed", 16L);
        assertThat(manifest("run")).isEqualTo(uninterrupted);
    }

    @Test
    void anotherSeedGivesOtherImages() throws IOException {
        run("zero", Map.of());
        run("one", Map.of("generate.seed", "1"));
        assertThat(hashes("one")).hasSize(28).doesNotContainAnyElementsOf(hashes("zero"));
        assertThat(samples("one")).allMatch(sample -> sample.seed() == 1);
    }

    @Test
    void theAverageOfTheWeightsLiesBesideThem() throws IOException {
        Path run = Files.createDirectory(folder.resolve("trained"));
        JobContext context = SPARK.context(new TinyModels(run.resolve("model.safetensors"), tiny.tokenizer())
                .recipe(folder.resolve("averaged"), Map.of("generate.ema", "true")));
        assertFails(ExitCode.NO_INPUT, () -> GenerateJob.run(context))
                .matches("Cannot use --ema: .*/trained/ema.safetensors does not exist; give --weights of a run that was"
                        + " trained with train.ema_decay");
        Files.copy(tiny.weights(), run.resolve("ema.safetensors"));
        GenerateJob.run(context);
        run("plain", Map.of());
        assertThat(hashes("averaged")).hasSize(28).isEqualTo(hashes("plain"));
    }

    @Test
    void anInterruptedRunEndsAsAnUninterruptedOne() throws IOException {
        run("run", Map.of());
        SamplesManifest uninterrupted = manifest("run");
        Path output = folder.resolve("run");
        Files.delete(output.resolve(uninterrupted.shards().get(0).name()));
        Path torn = output.resolve(uninterrupted.shards().get(2).name());
        byte[] bytes = Files.readAllBytes(torn);
        bytes[20] ^= 1;
        Files.write(torn, bytes);
        Files.delete(output.resolve(Manifest.NAME));
        Files.delete(output.resolve(JobResult.NAME));

        JobResult result = run("run", Map.of());

        assertThat(result.counts()).containsEntry("images_resumed", 12L);
        assertThat(manifest("run")).isEqualTo(uninterrupted);
        for (ShardReceipt shard : uninterrupted.shards()) {
            assertThat(storage.sha256(output.resolve(shard.name()).toString())).isEqualTo(shard.sha256());
        }
    }

    /** As on an object store, where a task that comes late may do this after the shard's receipt was given. */
    @Test
    void aShardThatIsReplacedBeforeTheManifestIsNotPublished() throws IOException {
        Path grid = folder.resolve("run").resolve(SampleSet.GRID);
        AtomicBoolean late = new AtomicBoolean(true);
        Storage there = new Storage(FaultyFiles.likeAnObjectStore(path -> {
            if (path.getName().startsWith("shard-00001") && Files.exists(grid) && late.getAndSet(false)) {
                Files.write(Path.of(path.toUri().getPath()), new byte[] {0}, StandardOpenOption.APPEND);
            }
        }));
        JobContext context = new JobContext(SPARK.session(), there, tiny.recipe(folder.resolve("run"), Map.of()), true);
        assertFails(ExitCode.TEMPORARY, () -> GenerateJob.run(context))
                .contains(" shards were replaced by a late task, the first is shard-00001-of-");
        assertThat(folder.resolve("run").resolve(Manifest.NAME)).doesNotExist();
        GenerateJob.run(context);
        assertThat(hashes("run")).hasSize(28);
    }

    @Test
    void theNpzAndTheGridHoldTheImages() throws IOException {
        JobResult result = run("run", Map.of());
        List<Sample> samples = samples("run");
        try (NpzFile npz = NpzFile.open(storage, path("run", SampleSet.NPZ))) {
            assertThat(npz.names()).containsExactly("arr_0");
            assertThat(npz.header("arr_0")).isEqualTo(NpyHeader.of(NpyHeader.UINT8, 28, SIZE, SIZE, 3));
            try (InputStream pixels = npz.elements("arr_0", 0)) {
                for (Sample sample : samples) {
                    assertThat(pixels.readNBytes(SIZE * SIZE * 3))
                            .isEqualTo(decode(sample.png()).pixels());
                }
            }
        }
        RgbImage grid = decode(storage.readBytes(path("run", SampleSet.GRID)));
        assertThat(grid.width()).as("nine columns for three classes").isEqualTo(9 * (9 * SIZE + 2) + 2);
        assertThat(grid.height()).as("four rows and captions").isEqualTo(14 + 4 * (9 * SIZE + 2) + 2);
        assertThat(result.warnings()).singleElement().asString().contains("unbalanced");
    }

    @Test
    void everySettingOfSamplingIsUsed() throws IOException {
        run("base", Map.of());
        for (Map<String, String> setting : List.of(
                Map.of("generate.order", "random"),
                Map.of("generate.order", "alternate"),
                Map.of("generate.order", "z-curve"),
                Map.of("generate.order", "subsample"),
                Map.of("generate.order", "spiral-in"),
                Map.of("generate.order", "spiral-out"),
                Map.of("generate.temperature", "0.5"),
                Map.of("generate.guidance_scale", "0"),
                Map.of("generate.guidance", "constant"),
                Map.of("generate.guidance", "linear"),
                Map.of("generate.guidance_pow", "0.5"))) {
            String name = "other-" + setting.hashCode();
            run(name, setting);
            assertThat(hashes(name)).as("%s", setting).isNotEqualTo(hashes("base"));
        }
        assertThat(run("bf16", Map.of("generate.precision", "bf16")).counts()).containsEntry("images", 28L);
    }

    /** With and without adaLN and target-aware positions, as the paper compares them. */
    @Test
    void everyVariantOfTheModelSamples() throws IOException {
        Set<List<String>> images = new HashSet<>();
        for (Map<String, String> variant : List.of(
                Map.of("model.conditioning", "plain"),
                Map.of("model.target_aware", "false"),
                Map.of("model.conditioning", "plain", "model.target_aware", "false"))) {
            String name = "variant-" + variant.hashCode();
            TinyModels models = tiny.variant(folder.resolve(name + ".safetensors"), variant);
            GenerateJob.run(SPARK.context(models.recipe(folder.resolve(name), variant)));
            images.add(hashes(name));
        }
        assertThat(images).hasSize(3);
    }

    @Test
    void mergedPositionsSampleInTheirOrderAlone() throws IOException {
        Path merged = TinyModels.writeModel(
                folder.resolve("merged.safetensors"), MergedPositions.metadata(Map.of(), ScanOrder.SPIRAL_IN));
        TinyModels models = new TinyModels(merged, tiny.tokenizer());
        Map<String, String> inOrder = Map.of("generate.order", "spiral-in");
        assertThat(GenerateJob.run(SPARK.context(models.recipe(folder.resolve("in-order"), inOrder)))
                        .counts())
                .containsEntry("images", 28L);
        for (String other : List.of("row-major", "random")) {
            Recipe recipe = models.recipe(folder.resolve("other"), Map.of("generate.order", other));
            assertFails(ExitCode.DATA, () -> GenerateJob.run(SPARK.context(recipe)))
                    .contains("with generate.order=" + other
                            + ": its positions are merged for the order spiral-in; set generate.order to that");
        }
        assertThat(folder.resolve("other")).doesNotExist();
        List<Recipe> points = List.of(
                models.recipe(folder.resolve("other"), inOrder), models.recipe(folder.resolve("other"), Map.of()));
        assertThat(GenerateJob.inputs(SPARK.context(points.get(0)), points.subList(0, 1)))
                .containsOnlyKeys("weights", "tokenizer");
        assertFails(ExitCode.DATA, () -> GenerateJob.inputs(SPARK.context(points.get(0)), points))
                .contains("with generate.order=row-major: its positions are merged");
    }

    @Test
    void classesTakeTurns() throws IOException {
        run("run", Map.of("generate.classes", "2,0", "generate.count", "6"));
        assertThat(samples("run").stream().map(Sample::classId)).containsExactly(2, 0, 2, 0, 2, 0);
        assertThat(samples("run").stream().map(Sample::index)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(manifest("run").classes()).containsExactly(2, 0);
    }

    @Test
    void classesHaveTheImagesAskedFor() throws IOException {
        JobResult counts = run("counts", Map.of("generate.class_counts", "1,20,2"));
        assertThat(samples("counts").stream().map(Sample::classId)).startsWith(0, 1, 2, 1, 2, 1, 1);
        assertThat(counts.counts()).containsEntry("images", 23L);
        assertThat(counts.warnings()).isEmpty();
        assertThat(manifest("counts").classCounts()).containsExactly(1, 20, 2);
        JobResult each = run("each", Map.of("generate.samples_per_class", "2"));
        assertThat(samples("each").stream().map(Sample::classId)).containsExactly(0, 1, 2, 0, 1, 2);
        assertThat(each.warnings()).isEmpty();
        assertThat(manifest("each").classCounts()).isEmpty();
        assertThat(hashes("counts").subList(0, 3))
                .as("the same class and index")
                .isEqualTo(hashes("each").subList(0, 3));
    }

    @Test
    void shardsAreSizedByTheirWork() throws IOException {
        run("run", Map.of("generate.shard_images", "0"));
        assertThat(manifest("run").shards())
                .extracting(ShardReceipt::rows)
                .hasSize(7)
                .containsOnly(4L);
    }

    @Test
    void aRunEndsWhenItsPngFilesAreThere() throws IOException {
        Path result = folder.resolve("run").resolve(JobResult.NAME);
        AtomicBoolean refuses = new AtomicBoolean(true);
        Path png = folder.resolve("run").resolve(PngFolder.NAME);
        Storage there = new Storage(FaultyFiles.with(path -> {
            if (path.getName().startsWith("shard-00001") && Files.exists(png) && refuses.get()) {
                throw new IOException("unreadable");
            }
        }));
        Recipe recipe = tiny.recipe(folder.resolve("run"), Map.of("generate.png", "true"));
        JobContext context = new JobContext(SPARK.session(), there, recipe, true);
        assertThatThrownBy(() -> GenerateJob.run(context)).hasStackTraceContaining("unreadable");
        assertThat(result).content().doesNotContain("\"done\"");
        refuses.set(false);
        assertThat(GenerateJob.run(context).counts()).containsEntry("images_resumed", 28L);
        assertThat(storage.walk(png.toString())).hasSize(28);
    }

    /** Those that are missing. */
    @Test
    void aFinishedRunGetsPngFiles() throws IOException {
        JobResult result = run("run", Map.of());
        Path png = folder.resolve("run").resolve(PngFolder.NAME);
        assertThat(png).doesNotExist();
        assertThat(run("run", Map.of("generate.png", "true"))).isEqualTo(result);
        for (Sample sample : samples("run")) {
            assertThat(png.resolve(PngFolder.fileName(sample))).hasBinaryContent(sample.png());
        }
        assertThat(storage.walk(png.toString())).hasSize(28);
        Path deleted = png.resolve("00002/000002.png");
        Path kept = png.resolve("00000/000027.png");
        Files.delete(deleted);
        Files.write(kept, new byte[] {1});
        run("run", Map.of("generate.png", "true"));
        assertThat(deleted).exists();
        assertThat(kept).as("of a shard whose files were all there").hasBinaryContent(new byte[] {1});
    }

    @Test
    void captionsAreTheNamesOfTheClasses() throws IOException {
        Path names = Files.writeString(folder.resolve("names.txt"), "ant\nbee \ncow\n");
        run("unnamed", Map.of());
        run("named", Map.of("generate.class_names", names.toString(), "generate.tokens", "true"));
        assertThat(TokenShards.open(storage, path("named", TokenFolder.NAME)).classNames())
                .containsExactly("ant", "bee", "cow");
        run("again", Map.of("generate.class_names", names.toString()));
        assertThat(gridHash("named")).isNotEqualTo(gridHash("unnamed")).isEqualTo(gridHash("again"));
        assertThat(hashes("named")).isEqualTo(hashes("unnamed"));

        Path model = TinyModels.writeModel(
                folder.resolve("named.safetensors"), Map.of("class_names", "[\"ant\",\"bee\",\"cow\"]"));
        GenerateJob.run(
                SPARK.context(new TinyModels(model, tiny.tokenizer()).recipe(folder.resolve("trained"), Map.of())));
        assertThat(gridHash("trained")).as("named in the model's file").isEqualTo(gridHash("named"));

        Path other = TinyModels.writeModel(folder.resolve("odd.safetensors"), Map.of("class_names", "[null, 1]"));
        GenerateJob.run(SPARK.context(new TinyModels(other, tiny.tokenizer()).recipe(folder.resolve("odd"), Map.of())));
        assertThat(gridHash("odd")).as("no names").isEqualTo(gridHash("unnamed"));

        Files.writeString(names, "ant\nbee\n");
        assertFails(ExitCode.DATA, () -> run("other", Map.of("generate.class_names", names.toString())))
                .endsWith("names.txt: it has 2 lines, and the model 3 classes; give a line for the name of each class");
        assertFails(ExitCode.NO_INPUT, () -> run("other", Map.of("generate.class_names", "/none.txt")))
                .isEqualTo("Cannot read generate.class_names /none.txt: it does not exist");
        assertThat(folder.resolve("other")).doesNotExist();
    }

    private String gridHash(String name) throws IOException {
        return storage.sha256(path(name, SampleSet.GRID));
    }

    @Test
    void aFinishedRunIsNotRepeated() throws IOException {
        JobResult first = run("run", Map.of());
        assertThat(run("run", Map.of())).isEqualTo(first);
    }

    @Test
    void anOutputOfAnotherRunIsLeftAlone() throws IOException {
        run("run", Map.of());
        assertFails(ExitCode.OUTPUT_EXISTS, () -> run("run", Map.of("generate.seed", "1")))
                .contains("belongs to another run");
    }

    @Test
    void aTokenizerOfOtherCodesIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path other = TinyModels.writeTokenizer(folder.resolve("other.safetensors"), 32);
        TinyModels mismatched = new TinyModels(tiny.weights(), other);
        assertFails(
                        ExitCode.DATA,
                        () -> GenerateJob.run(SPARK.context(mismatched.recipe(folder.resolve("run"), Map.of()))))
                .contains("predicts 16 codes, but the tokenizer")
                .contains("has 32");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void onlyTheTokenizerThatTheModelWasTrainedWithDecodes() throws IOException {
        String sha256 = storage.sha256(tiny.tokenizer().toString());
        TinyModels same = trainedWith("same.safetensors", sha256);
        assertThat(GenerateJob.run(SPARK.context(same.recipe(folder.resolve("run"), Map.of())))
                        .counts())
                .containsEntry("images", 28L);
        TinyModels other = trainedWith("other.safetensors", "0".repeat(64));
        assertFails(
                        ExitCode.DATA,
                        () -> GenerateJob.run(SPARK.context(other.recipe(folder.resolve("other"), Map.of()))))
                .contains("with SHA-256 0000000")
                .contains("is " + sha256);
        assertThat(folder.resolve("other")).doesNotExist();
    }

    private TinyModels trainedWith(String name, String tokenizerSha256) throws IOException {
        Map<String, String> metadata = Map.of("tokenizer_sha256", tokenizerSha256);
        return new TinyModels(TinyModels.writeModel(folder.resolve(name), metadata), tiny.tokenizer());
    }

    @Test
    void weightsOfAnotherModelAreRefused() {
        assertFails(ExitCode.DATA, () -> run("run", Map.of("model.layers", "3")))
                .contains("do not match this model")
                .contains("blocks.2.norm1.weight");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void missingWeightsAreNamed() {
        TinyModels missing = new TinyModels(folder.resolve("none.safetensors"), tiny.tokenizer());
        assertFails(
                        ExitCode.NO_INPUT,
                        () -> GenerateJob.run(SPARK.context(missing.recipe(folder.resolve("run"), Map.of()))))
                .contains("--weights");
    }

    private JobResult run(String name, Map<String, String> settings) throws IOException {
        return GenerateJob.run(SPARK.context(tiny.recipe(folder.resolve(name), settings)));
    }

    private String path(String name, String file) {
        return folder.resolve(name).resolve(file).toString();
    }

    private SamplesManifest manifest(String name) throws IOException {
        return SamplesManifest.read(storage, folder.resolve(name).toString());
    }

    private List<Sample> samples(String name) throws IOException {
        List<Sample> samples = new ArrayList<>();
        for (ShardReceipt shard : manifest(name).shards()) {
            SampleShard.ROWS.read(storage, path(name, shard.name()), samples::add);
        }
        return samples;
    }

    private List<String> hashes(String name) throws IOException {
        return samples(name).stream().map(sample -> Sha256.of(sample.png())).toList();
    }

    private static RgbImage decode(byte[] png) {
        return new ImageDecoder().decode(png, "a test's image");
    }
}
