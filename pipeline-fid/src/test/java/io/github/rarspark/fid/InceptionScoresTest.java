package io.github.rarspark.fid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzWriter;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InceptionScoresTest {
    private static final int SIDE = 32;

    @TempDir
    private static Path models;

    private static SparkSession session;
    private static String features;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() throws IOException {
        session = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate();
        features = "inception:" + RandomInception.write(models.resolve("inception.safetensors"));
    }

    @AfterAll
    static void stop() {
        session.close();
    }

    @Test
    void aSetComparedWithItselfScoresPerfectly() throws IOException {
        Path images = images("images", 1, 10, 40);
        JobResult result = score("itself", images, images, Map.of());
        assertThat(result.metrics().get(FidJob.FID)).isCloseTo(0, within(1e-8));
        assertThat(result.metrics().get(FidJob.SFID)).isCloseTo(0, within(1e-8));
        assertThat(result.metrics())
                .containsEntry(FidJob.PRECISION, 1.0)
                .containsEntry(FidJob.RECALL, 1.0)
                .doesNotContainKeys(FidJob.DISTANCE, FidJob.FID_FLOOR);
        assertThat(result.metrics().get(FidJob.INCEPTION_SCORE)).isGreaterThan(1);
        assertThat(result.counts())
                .containsEntry("samples", 10L)
                .as("the reference is the set whose features are there already")
                .containsEntry("reference_known", 10L);
        assertThat(result.warnings())
                .anySatisfy(warning -> assertThat(warning).contains("50000 samples, these of 10"))
                .anySatisfy(warning -> assertThat(warning).contains("statistics of the whole training set"));
    }

    @Test
    void setsThatDifferScoreWorse() throws IOException {
        Path reference = images("reference", 1, 10, 40);
        JobResult near = score("near", images("alike", 2, 10, 40), reference, Map.of("fid.floor", "true"));
        JobResult far = score("far", images("noise", 3, 10, 250), reference, Map.of());
        assertThat(far.metrics().get(FidJob.FID))
                .isGreaterThan(2 * near.metrics().get(FidJob.FID));
        assertThat(far.metrics().get(FidJob.SFID))
                .isGreaterThan(2 * near.metrics().get(FidJob.SFID));
        assertThat(far.metrics().get(FidJob.KID))
                .isGreaterThan(2 * near.metrics().get(FidJob.KID));
        assertThat(far.metrics()).containsEntry(FidJob.RECALL, 0.0);
        assertThat(near.metrics().get(FidJob.FID_FLOOR)).isPositive();
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
            addImages(npz, 1, 4, 40);
        }
        JobResult result = score("scores", samples, adm, Map.of());
        // The means are so far away that nothing else shows.
        assertThat(result.metrics().get(FidJob.FID)).isCloseTo(1e6 * width, within(2e4 * width));
        assertThat(result.metrics().get(FidJob.SFID)).isCloseTo(4e6 * spatial, within(8e4 * spatial));
        assertThat(result.metrics())
                .as("its images are the samples")
                .containsEntry(FidJob.PRECISION, 1.0)
                .containsEntry(FidJob.RECALL, 1.0);
        assertThat(result.warnings()).noneMatch(warning -> warning.contains("whole training set"));
    }

    @Test
    void featuresInACacheAreNotComputedAgainUnlessDamaged() throws IOException {
        Path reference = images("reference", 1, 5, 40);
        Path samples = images("samples", 2, 5, 40);
        Path cache = folder.resolve("cache");
        Map<String, String> cached = Map.of("fid.cache", cache.toString());
        JobResult first = score("first", samples, reference, cached);
        JobResult second = score("second", samples, reference, cached);
        assertThat(first.counts()).containsEntry("samples_known", 0L).containsEntry("reference_known", 0L);
        assertThat(second.counts()).containsEntry("samples_known", 5L).containsEntry("reference_known", 5L);
        assertThat(second.metrics()).isEqualTo(first.metrics());
        assertThat(folder.resolve("first/features")).doesNotExist();

        try (Stream<Path> files = Files.walk(cache)) {
            for (Path shard : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(shard);
                bytes[bytes.length / 2] ^= 1;
                Files.write(shard, bytes);
            }
        }
        JobResult third = score("third", samples, reference, cached);
        assertThat(third.counts()).containsEntry("samples_known", 0L);
        assertThat(third.metrics()).isEqualTo(first.metrics());
    }

    @Test
    void otherSizesNetworksAndTooFewImagesAreRefused() throws IOException {
        Path images = images("images", 1, 3, 40);
        assertThatThrownBy(() -> score("256", images, images, Map.of("fid.image_size", "0")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("instead of |u1 [N, 256, 256, 3]");
        String classifier =
                TinyClassifier.write(folder.resolve("classifier.safetensors")).toString();
        assertThatThrownBy(() -> score("other", images, images, Map.of("fid.features", "inception:" + classifier)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("472 missing");
        assertThatThrownBy(() -> score("few", images, images, Map.of()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("fid.neighbours 3");
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
        Recipe recipe = Recipes.resolve(new Layer("the test", values));
        return FidJob.run(session, recipe, true);
    }

    private Path images(String name, long seed, int count, int contrast) throws IOException {
        Path path = folder.resolve(name + ".npz");
        try (OutputStream file = Files.newOutputStream(path);
                NpzWriter npz = new NpzWriter(file)) {
            addImages(npz, seed, count, contrast);
        }
        return path;
    }

    private static void addImages(NpzWriter npz, long seed, int count, int contrast) throws IOException {
        npz.add("arr_0", NpyHeader.of(NpyHeader.UINT8, count, SIDE, SIDE, 3), out -> {
            for (int i = 0; i < count; i++) {
                RandomStream random = RandomStream.of(seed, Purpose.SPLIT, i);
                int base = random.nextInt(256 - contrast);
                byte[] pixels = new byte[3 * SIDE * SIDE];
                for (int p = 0; p < pixels.length; p++) {
                    pixels[p] = (byte) (base + random.nextInt(contrast));
                }
                out.write(pixels);
            }
        });
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
