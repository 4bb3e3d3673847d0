package io.github.rarspark.fid;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzWriter;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.inception.Activations;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.metrics.FrechetDistance;
import io.github.rarspark.kernel.metrics.InceptionScore;
import io.github.rarspark.kernel.metrics.KernelDistance;
import io.github.rarspark.kernel.metrics.Moments;
import io.github.rarspark.kernel.metrics.PrecisionRecall;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class InceptionScoresTest {
    private static final int SIDE = 32;

    @TempDir
    private static Path models;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    private static String features;

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        features = "inception:" + RandomInception.write(models.resolve("inception.safetensors"));
    }

    @Test
    void aSetComparedWithItselfScoresPerfectly() throws IOException {
        Path images = images("images", 1, 10, 40);
        JobResult result = score("itself", images, images, Map.of());
        assertThat(result.metrics().get(FidMetrics.FID)).isCloseTo(0, within(1e-8));
        assertThat(result.metrics().get(FidMetrics.SFID)).isCloseTo(0, within(1e-8));
        assertThat(result.metrics())
                .containsEntry(FidMetrics.PRECISION, 1.0)
                .containsEntry(FidMetrics.RECALL, 1.0)
                .doesNotContainKeys(FidMetrics.DISTANCE, FidMetrics.FID_FLOOR);
        assertThat(result.metrics().get(FidMetrics.INCEPTION_SCORE)).isGreaterThan(1);
        assertThat(result.counts())
                .containsEntry("samples", 10L)
                .as("the reference is the set whose features are there already")
                .containsEntry("reference_known", 10L);
        assertThat(result.warnings())
                .anySatisfy(warning -> assertThat(warning).contains("50000 samples, these use 10"))
                .anySatisfy(warning -> assertThat(warning).contains("statistics of the whole training set"));
    }

    @Test
    void everyMetricIsThatOfTheNetworksActivations() throws IOException {
        JobResult result = score(
                "scores",
                images("samples", 1, 12, 60),
                images("reference", 2, 11, 40),
                Map.of("fid.split_images", "4", "fid.neighbours", "2", "fid.floor", "true"));
        Path weights = Path.of(features.substring("inception:".length()));
        try (NDManager manager = NDManager.newBaseManager();
                InceptionV3 network = InceptionV3.load(TensorFile.open(weights), manager);
                TensorScope s = TensorScope.inference(manager)) {
            Activations samples = network.activations(s, batch(s, 1, 12, 60));
            Activations reference = network.activations(s, batch(s, 2, 11, 40));
            InceptionScore inceptionScore = new InceptionScore(InceptionV3.CLASSES, 4);
            double[] logits = s.to(samples.logits(), DataType.FLOAT64).toDoubleArray();
            for (int at = 0; at < logits.length; at += InceptionV3.CLASSES) {
                inceptionScore.add(logits, at);
            }
            KernelDistance kid = KernelDistance.overSubsets(manager, samples.pool3(), reference.pool3(), 3, 11, 0);
            PrecisionRecall nearest = PrecisionRecall.of(manager, reference.pool3(), samples.pool3(), 2);
            Map<String, Double> expected = Map.of(
                    FidMetrics.FID, frechet(manager, samples.pool3(), reference.pool3()),
                    FidMetrics.SFID, frechet(manager, samples.spatial(), reference.spatial()),
                    FidMetrics.INCEPTION_SCORE, inceptionScore.mean(),
                    FidMetrics.KID, kid.mean(),
                    FidMetrics.KID_DEVIATION, kid.deviation(),
                    FidMetrics.PRECISION, nearest.precision(),
                    FidMetrics.RECALL, nearest.recall());
            assertThat(expected.values()).doesNotContain(0.0);
            expected.forEach((name, value) ->
                    assertThat(result.metrics().get(name)).as(name).isCloseTo(value, within(1e-4 * Math.abs(value))));
            assertThat(result.metrics().get(FidMetrics.FID_FLOOR)).isPositive();
        }
    }

    private static double frechet(NDManager manager, NDArray a_ND, NDArray b_MD) {
        int width = (int) a_ND.getShape().get(1);
        return FrechetDistance.between(
                Moments.of(manager, a_ND.toFloatArray(), width).statistics(),
                Moments.of(manager, b_MD.toFloatArray(), width).statistics(),
                manager);
    }

    private static NDArray batch(TensorScope s, long seed, int count, int contrast) {
        byte[] batch = Pixels.toBytes(ImageSets.noise(SIDE, seed, count, contrast));
        return s.bytes(batch, count, SIDE, SIDE, 3);
    }

    @Test
    void statisticsOfTheFileGoBeforeThoseOfItsImages() throws IOException {
        Path samples = images("samples", 1, 4, 40);
        int width = InceptionV3.FEATURES;
        int spatial = InceptionV3.SPATIAL_FEATURES;
        Path adm = folder.resolve("adm.npz");
        try (OutputStream file = Files.newOutputStream(adm);
                NpzWriter npz = new NpzWriter(file)) {
            npz.add("mu", NpyHeader.of(NpyHeader.FLOAT64, width), out -> out.write(doubles(width, 1000)));
            npz.add("sigma", NpyHeader.of(NpyHeader.FLOAT64, width, width), out -> zeros(out, width));
            npz.add("mu_s", NpyHeader.of(NpyHeader.FLOAT64, spatial), out -> out.write(doubles(spatial, 2000)));
            npz.add("sigma_s", NpyHeader.of(NpyHeader.FLOAT64, spatial, spatial), out -> zeros(out, spatial));
            ImageSets.addTo(npz, ImageSets.noise(SIDE, 1, 4, 40));
        }
        JobResult result = score("scores", samples, adm, Map.of());
        // The means are so far away that nothing else shows.
        assertThat(result.metrics().get(FidMetrics.FID)).isCloseTo(1e6 * width, within(2e4 * width));
        assertThat(result.metrics().get(FidMetrics.SFID)).isCloseTo(4e6 * spatial, within(8e4 * spatial));
        assertThat(result.metrics())
                .as("its images are the samples")
                .containsEntry(FidMetrics.PRECISION, 1.0)
                .containsEntry(FidMetrics.RECALL, 1.0);
        assertThat(result.warnings()).noneMatch(warning -> warning.contains("whole training set"));
    }

    @Test
    void otherSizesNetworksAndTooFewImagesAreRefused() throws IOException {
        Path images = images("images", 1, 3, 40);
        assertFails(ExitCode.DATA, () -> score("256", images, images, Map.of("fid.image_size", "0")))
                .contains("instead of |u1 [N, 256, 256, 3]");
        String classifier =
                TinyClassifier.write(folder.resolve("classifier.safetensors")).toString();
        assertFails(
                        ExitCode.DATA,
                        () -> score("other", images, images, Map.of("fid.features", "inception:" + classifier)))
                .contains("it is an image classifier (6 features, 3 classes); give classifier:" + classifier);
        Path folders = ImageSets.classFolders(folder.resolve("folders"), ImageSets.noise(SIDE, 1, 3, 40));
        assertFails(ExitCode.DATA, () -> score("few", folders, images, Map.of()))
                .as("Inception's classes are not compared with the folders'")
                .contains("fid.neighbours=3");
    }

    private JobResult score(String output, Path samples, Path reference, Map<String, String> more) throws IOException {
        Map<String, String> values = new HashMap<>(Map.of(
                "fid.samples", samples.toString(),
                "fid.reference", reference.toString(),
                "fid.features", features,
                "fid.output", folder.resolve(output).toString(),
                "fid.image_size", Integer.toString(SIDE),
                "fid.batch", "5",
                "fid.kid_subsets", "3"));
        values.putAll(more);
        Recipe recipe = Recipe.resolve(new Layer("the test", values));
        return FidJob.run(SPARK.context(recipe));
    }

    private Path images(String name, long seed, int count, int contrast) throws IOException {
        return ImageSets.npz(folder.resolve(name + ".npz"), ImageSets.noise(SIDE, seed, count, contrast));
    }

    private static byte[] doubles(int count, double value) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putDouble(value);
        }
        return bytes.array();
    }

    private static void zeros(OutputStream out, int side) throws IOException {
        byte[] row = new byte[side * Double.BYTES];
        for (int i = 0; i < side; i++) {
            out.write(row);
        }
    }
}
