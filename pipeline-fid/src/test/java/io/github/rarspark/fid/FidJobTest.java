package io.github.rarspark.fid;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzWriter;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.Tars;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class FidJobTest {
    private static final int SIDE = TinyClassifier.SIDE;

    @TempDir
    private static Path models;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    private static String features;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        features = "classifier:" + TinyClassifier.write(models.resolve("classifier.safetensors"));
    }

    @Test
    void theSameImagesScoreTheSameInEveryLayout() throws IOException {
        List<RgbImage> samples = images(1, 60);
        Path reference = npz("reference", images(2, 80));
        double fromNpz = score("a", npz("samples", samples), reference, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        double fromShards = score("b", generated("generated", samples), reference, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        double fromFiles = score("c", classFolders("folders", samples), reference, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        double fromTars = score("d", tars("tars", samples), reference, Map.of("fid.floor", "true"))
                .metrics()
                .get(FidMetrics.DISTANCE);
        assertThat(fromTars).isEqualTo(fromNpz);
        assertThat(fromNpz).isPositive();
        assertThat(fromShards).isEqualTo(fromNpz);
        // Class folders have an order of their own.
        assertThat(fromFiles).isCloseTo(fromNpz, within(1e-9 * fromNpz));
    }

    @Test
    void imageFilesOfAnotherSizeAreCroppedToTheCentre() throws IOException {
        Path reference = npz("reference", images(2, 80));
        List<RgbImage> large =
                images(1, 60).stream().map(FidJobTest::withBlackFrame).toList();
        List<RgbImage> cropped =
                large.stream().map(image -> Crops.centerCrop(image, SIDE)).toList();
        double fromFiles = score("files", classFolders("folders", large), reference, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        double fromCrops = score("crops", npz("cropped", cropped), reference, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        assertThat(fromFiles).isCloseTo(fromCrops, within(1e-9 * fromCrops));
    }

    private static RgbImage withBlackFrame(RgbImage image) {
        int width = image.width() + 4;
        int height = image.height() + 2;
        byte[] pixels = new byte[RgbImage.CHANNELS * width * height];
        int row = RgbImage.CHANNELS * image.width();
        for (int y = 0; y < image.height(); y++) {
            System.arraycopy(image.pixels(), y * row, pixels, RgbImage.CHANNELS * ((y + 1) * width + 2), row);
        }
        return new RgbImage(width, height, pixels);
    }

    @Test
    void aSetIsNoDistanceFromItselfAndMoreAlikeSetsAreNearer() throws IOException {
        Path one = npz("one", images(1, 60));
        JobResult itself = score("itself", one, one, Map.of());
        assertThat(itself.metrics().get(FidMetrics.DISTANCE)).isCloseTo(0, within(1e-12));
        assertThat(itself.counts()).containsEntry("samples", 60L).containsEntry("reference", 60L);
        assertThat(itself.warnings()).singleElement().asString().contains("tiny classifier", "not comparable with FID");

        List<RgbImage> black = Collections.nCopies(60, new RgbImage(SIDE, SIDE, new byte[3 * SIDE * SIDE]));
        double alike = score("alike", npz("two", images(2, 60)), one, Map.of())
                .metrics()
                .get(FidMetrics.DISTANCE);
        double unlike =
                score("unlike", npz("black", black), one, Map.of()).metrics().get(FidMetrics.DISTANCE);
        assertThat(alike).isLessThan(unlike / 2);
    }

    @Test
    void setsOfManyPartsAreCombinedInTheirOrder() throws IOException {
        List<RgbImage> images = images(1, 1200);
        Path three = npz("three-parts", images);
        Path two = generated("two-parts", images);
        Path other = npz("other", images(2, 60));
        JobResult result = score("same", two, three, Map.of());
        assertThat(result.metrics().get(FidMetrics.DISTANCE)).isCloseTo(0, within(1e-12));
        assertThat(result.counts()).containsEntry("samples", 1200L).containsEntry("reference", 1200L);
        assertThat(score("again", three, other, Map.of()).metrics())
                .isEqualTo(score("once", three, other, Map.of()).metrics());
        assertThat(FeatureStore.imagesPerPart(1200)).isEqualTo(500);
        assertThat(FeatureStore.imagesPerPart(10_000_000))
                .as("ten million images are not 20,000 objects")
                .isEqualTo(5000);
    }

    @Test
    void featuresInACacheAreNotComputedAgainUnlessDamaged() throws IOException {
        Path reference = npz("reference", images(1, 30));
        Path samples = npz("samples", images(2, 20));
        Path cache = folder.resolve("cache");
        Map<String, String> cached = Map.of("fid.cache", cache.toString());
        JobResult first = score("first", samples, reference, cached);
        JobResult second = score("second", samples, reference, cached);
        assertThat(first.counts()).containsEntry("samples_known", 0L).containsEntry("reference_known", 0L);
        assertThat(second.counts()).containsEntry("samples_known", 20L).containsEntry("reference_known", 30L);
        assertThat(second.metrics()).isEqualTo(first.metrics());
        assertThat(folder.resolve("first/features")).doesNotExist();

        try (Stream<Path> files = Files.walk(cache)) {
            for (Path shard :
                    files.filter(file -> file.toString().endsWith(".parquet")).toList()) {
                byte[] bytes = Files.readAllBytes(shard);
                bytes[40] ^= 1;
                Files.write(shard, bytes);
            }
        }
        JobResult third = score("third", samples, reference, cached);
        assertThat(third.counts()).containsEntry("samples_known", 0L).containsEntry("reference_known", 0L);
        assertThat(third.metrics()).isEqualTo(first.metrics());
    }

    @Test
    void theFloorIsTheDistanceOfTwoHalves() throws IOException {
        Path samples = npz("samples", images(1, 60));
        Path reference = npz("reference", images(2, 80));
        JobResult with = score("with", samples, reference, Map.of("fid.floor", "true"));
        JobResult without = score("without", samples, reference, Map.of());
        JobResult other = score("other", samples, reference, Map.of("fid.floor", "true", "seed", "1"));
        assertThat(without.metrics()).doesNotContainKey(FidMetrics.FLOOR);
        assertThat(with.metrics().get(FidMetrics.FLOOR)).isPositive();
        assertThat(other.metrics().get(FidMetrics.FLOOR))
                .isNotEqualTo(with.metrics().get(FidMetrics.FLOOR));
        assertThat(with.metrics().get(FidMetrics.DISTANCE))
                .isCloseTo(without.metrics().get(FidMetrics.DISTANCE), within(1e-12));
    }

    @Test
    void agreementIsTheShareOfRecognizedClasses() throws IOException {
        List<RgbImage> images = images(1, 40);
        Path reference = npz("reference", images(2, 30));
        double all = 0;
        for (int classId = 0; classId < 3; classId++) {
            Path samples = generated("class-" + classId, images, classId);
            all += score("scores-" + classId, samples, reference, Map.of())
                    .metrics()
                    .get(FidMetrics.AGREEMENT);
        }
        assertThat(all).as("every image is recognized as one of three classes").isCloseTo(1, within(1e-12));
        assertThat(score("unlabelled", npz("npz", images), reference, Map.of()).metrics())
                .doesNotContainKey(FidMetrics.AGREEMENT);
    }

    @Test
    void classFoldersOfAnotherNumberThanTheClassifiersAreRefused() throws IOException {
        Path reference = npz("reference", images(2, 30));
        Path folders = classFolders("folders", images(1, 60));
        Files.move(folders.resolve("class-0"), folder.resolve("elsewhere"));
        assertFails(ExitCode.DATA, () -> score("scores", folders, reference, Map.of()))
                .isEqualTo("Cannot number the classes of --samples " + folders
                        + ": it has 2 class folders with images, and --features " + features
                        + " has 3 classes; class ids number the sorted folders, so a missing or extra folder shifts them:"
                        + " add or remove folders, give a classifier of these folders' classes, or give the images as an"
                        + " npz file, which has no classes");
        assertThat(folder.resolve("scores")).doesNotExist();
        assertThat(score("as-reference", reference, folders, Map.of()).metrics())
                .as("a reference's classes are not used")
                .containsKey(FidMetrics.DISTANCE);
    }

    @Test
    void statisticsServeAsReference() throws IOException {
        double[] covariance = new double[TinyClassifier.FEATURES * TinyClassifier.FEATURES];
        Path statistics = npz("statistics", new double[TinyClassifier.FEATURES], covariance);
        Path samples = npz("samples", images(1, 60));
        JobResult result = score("scores", samples, statistics, Map.of());
        // To a Gaussian without variance at the origin, what is left is |mu|^2 and the trace of the samples.
        assertThat(result.metrics().get(FidMetrics.DISTANCE)).isPositive();
        assertThat(result.counts()).doesNotContainKey("reference");
        assertFails(ExitCode.USAGE, () -> score("floor", samples, statistics, Map.of("fid.floor", "true")))
                .contains("no images to split");
        Path other = npz("other", new double[2], new double[4]);
        assertFails(ExitCode.DATA, () -> score("other-scores", samples, other, Map.of()))
                .contains("gives 6 features");
    }

    @Test
    void unknownFeaturesAreAUsageError() throws IOException {
        Path samples = npz("samples", images(1, 4));
        assertFails(ExitCode.USAGE, () -> score("scores", samples, samples, Map.of("fid.features", "vgg:weights.pth")))
                .contains("vgg:weights.pth", "classifier:URI", "inception:URI");
        assertThat(folder.resolve("scores")).doesNotExist();
    }

    @Test
    void imagesOfAnotherSizeAreRefused() throws IOException {
        Path reference = npz("reference", images(1, 4));
        Path small = npz("small", List.of(new RgbImage(4, 4, new byte[48])));
        assertFails(ExitCode.DATA, () -> score("scores", small, reference, Map.of()))
                .contains("instead of |u1 [N, 8, 8, 3]");
        assertThat(folder.resolve("scores")).doesNotExist();
    }

    @Test
    void theOtherInputsAreCheckedBeforeThereAreSamples() throws IOException {
        Path reference = npz("reference", images(1, 4));
        Map<String, String> given = Map.of("fid.reference", reference.toString(), "fid.features", features);
        JobContext context = SPARK.context(Recipe.resolve(new Layer("the test", given)));
        assertThat(FidJob.inputs(context, SIDE)).containsOnlyKeys("reference", "features");
        assertFails(ExitCode.DATA, () -> FidJob.inputs(context, 2 * SIDE))
                .contains("Cannot score images of 16 pixels with --features", "that network takes images of 8 pixels");
        Files.delete(reference);
        assertFails(ExitCode.NO_INPUT, () -> FidJob.inputs(context, SIDE)).contains("--reference");
    }

    @Test
    void shardsThatAreNotTheManifestsAreRefused() throws IOException {
        Path samples = generated("generated", images(1, 8));
        Path other = generated("other", images(2, 8));
        String shard = SampleShard.name(1, 2);
        Files.copy(other.resolve(shard), samples.resolve(shard), StandardCopyOption.REPLACE_EXISTING);
        assertFails(ExitCode.DATA, () -> score("scores", samples, npz("reference", images(1, 4)), Map.of()))
                .contains(shard + ": its checksum does not match the manifest; generate again");
    }

    @Test
    void missingImagesAreNamed() throws IOException {
        Path reference = npz("reference", images(1, 4));
        assertFails(ExitCode.NO_INPUT, () -> score("scores", folder.resolve("none"), reference, Map.of()))
                .contains("--samples");
    }

    @Test
    void oneImageHasNoCovariance() throws IOException {
        Path reference = npz("reference", images(1, 4));
        assertFails(ExitCode.DATA, () -> score("scores", npz("one", images(1, 1)), reference, Map.of()))
                .contains("give two or more");
    }

    @Test
    void imagesThatCannotBeUsedAreQuarantinedUpToTheLimit() throws IOException {
        List<RgbImage> images = images(1, 60);
        Path good = classFolders("good", images);
        Path some = classFolders("some", images);
        for (int i : new int[] {10, 11}) {
            Files.delete(good.resolve("class-" + i % 3 + "/image-" + i + ".png"));
            Files.writeString(some.resolve("class-" + i % 3 + "/image-" + i + ".png"), "no picture");
        }
        Path reference = npz("reference", images(2, 80));
        Map<String, String> cache = Map.of("fid.cache", folder.resolve("cache").toString(), "fid.max_bad", "1");
        assertFails(ExitCode.DATA, () -> score("strict", some, reference, cache))
                .startsWith("Cannot score " + some + " against " + reference
                        + ": 2 images cannot be used, more than --max-bad 1; ");
        List<String> bad = List.of(
                "{\"path\":\"class-1/image-10.png\",\"reason\":"
                        + "\"Cannot decode class-1/image-10.png: it is neither PNG nor JPEG\",\"set\":\"samples\"}",
                "{\"path\":\"class-2/image-11.png\",\"reason\":"
                        + "\"Cannot decode class-2/image-11.png: it is neither PNG nor JPEG\",\"set\":\"samples\"}");
        assertThat(folder.resolve("strict/quarantine.jsonl")).content().isEqualTo(String.join("\n", bad) + "\n");

        Map<String, String> lenient = Map.of("fid.cache", cache.get("fid.cache"));
        JobResult result = score("lenient", some, reference, lenient);
        assertThat(result.counts())
                .containsEntry("samples", 58L)
                .as("features of the attempt before, with what was found then")
                .containsEntry("samples_known", 58L)
                .containsEntry("bad", 2L);
        assertThat(result.warnings()).contains("2 images could not be used; quarantine.jsonl lists them");
        assertThat(folder.resolve("lenient/quarantine.jsonl")).content().isEqualTo(String.join("\n", bad) + "\n");
        assertThat(result.metrics().get(FidMetrics.DISTANCE))
                .isEqualTo(score("whole", good, reference, Map.of()).metrics().get(FidMetrics.DISTANCE));

        assertFails(ExitCode.DATA, () -> score("strict-again", some, reference, cache))
                .as("what the features of an earlier attempt say counts before any are computed")
                .contains("2 images cannot be used, more than --max-bad 1; ");
    }

    @Test
    void theQuarantineNamesTheSetOfAnImage() throws IOException {
        Path images = classFolders("images", images(1, 60));
        Files.writeString(images.resolve("class-1/image-10.png"), "no picture");
        assertFails(ExitCode.DATA, () -> score("scores", images, images, Map.of("fid.max_bad", "1")))
                .endsWith(
                        "the first is class-1/image-10.png of the reference (Cannot decode class-1/image-10.png: it is"
                                + " neither PNG nor JPEG)");
        assertThat(Files.readAllLines(folder.resolve("scores/quarantine.jsonl")))
                .satisfiesExactly(line -> assertThat(line).endsWith("\"set\":\"reference\"}"), line -> assertThat(line)
                        .endsWith("\"set\":\"samples\"}"));
    }

    @Test
    void generatedImagesThatCannotBeDecodedAreQuarantinedToo() throws IOException {
        List<byte[]> pngs = new ArrayList<>(ImageSets.pngs(images(1, 60)));
        pngs.set(40, new byte[] {1, 2, 3});
        Path samples = ImageSets.generated(folder.resolve("samples"), pngs);
        Path reference = npz("reference", images(2, 80));
        JobResult result = score("lenient", samples, reference, Map.of());
        assertThat(result.counts()).containsEntry("samples", 59L).containsEntry("bad", 1L);
        String id = SampleShard.name(1, 2) + "#40";
        assertThat(folder.resolve("lenient/quarantine.jsonl"))
                .content()
                .isEqualTo("{\"path\":\"" + id + "\",\"reason\":\"Cannot decode " + id
                        + ": it is neither PNG nor JPEG\",\"set\":\"samples\"}\n");
        assertFails(ExitCode.DATA, () -> score("strict", samples, reference, Map.of("fid.max_bad", "0")));
    }

    @Test
    void imagesThatAreAllBadEndTheJob() throws IOException {
        Path reference = npz("reference", images(1, 4));
        Path samples = folder.resolve("none");
        for (String animal : List.of("cat", "dog", "fox")) {
            Files.createDirectories(samples.resolve(animal));
            Files.writeString(samples.resolve(animal + "/1.png"), "no picture");
        }
        assertFails(ExitCode.DATA, () -> score("scores", samples, reference, Map.of()))
                .contains("0 images are too few for a covariance");
        assertThat(folder.resolve("scores/quarantine.jsonl")).content().contains("cat/1.png");
    }

    private JobResult score(String output, Path samples, Path reference, Map<String, String> more) throws IOException {
        Map<String, String> values = new HashMap<>(Map.of(
                "fid.samples", samples.toString(),
                "fid.reference", reference.toString(),
                "fid.features", features,
                "fid.output", folder.resolve(output).toString(),
                "fid.batch", "16"));
        values.putAll(more);
        Recipe recipe = Recipe.resolve(new Layer("the test", values));
        return FidJob.run(SPARK.context(recipe));
    }

    private static List<RgbImage> images(long seed, int count) {
        return ImageSets.gradients(SIDE, seed, count);
    }

    private Path npz(String name, List<RgbImage> images) throws IOException {
        return ImageSets.npz(folder.resolve(name + ".npz"), images);
    }

    private Path npz(String name, double[] mean, double[] covariance) throws IOException {
        Path path = folder.resolve(name + ".npz");
        try (OutputStream file = Files.newOutputStream(path);
                NpzWriter npz = new NpzWriter(file)) {
            npz.add("mu", NpyHeader.of(NpyHeader.FLOAT64, mean.length), out -> out.write(bytes(mean)));
            NpyHeader square = NpyHeader.of(NpyHeader.FLOAT64, mean.length, mean.length);
            npz.add("sigma", square, out -> out.write(bytes(covariance)));
        }
        return path;
    }

    private static byte[] bytes(double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(values).forEach(bytes::putDouble);
        return bytes.array();
    }

    private Path classFolders(String name, List<RgbImage> images) throws IOException {
        return ImageSets.classFolders(folder.resolve(name), images);
    }

    /** Images without labels. */
    private Path tars(String name, List<RgbImage> images) throws IOException {
        Path path = folder.resolve(name);
        Files.createDirectories(path);
        for (int from = 0; from < images.size(); from += 40) {
            Tars tar = new Tars();
            for (int i = from; i < Math.min(from + 40, images.size()); i++) {
                tar.add(i + ".png", PngEncoder.encode(images.get(i)));
            }
            Files.write(path.resolve(from + ".tar"), tar.bytes());
        }
        return path;
    }

    private Path generated(String name, List<RgbImage> images, int... classes) throws IOException {
        return ImageSets.generated(folder.resolve(name), ImageSets.pngs(images), classes);
    }
}
