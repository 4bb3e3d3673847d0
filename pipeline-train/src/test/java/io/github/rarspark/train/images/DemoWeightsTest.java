package io.github.rarspark.train.images;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.BadLimit;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.classifier.Classifier;
import io.github.rarspark.kernel.vqgan.Reconstruction;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Recomputes the figures of the demo's weights in demo/README.md, on the embedded test images: the first 1,000, or as
 * many as the system property {@code rar.demo.images} says.
 */
class DemoWeightsTest {
    private static final Path DEMO = Path.of("../demo").toAbsolutePath().normalize();
    private static final int BATCH = 100;

    private static LabelledImages data;
    private static int count;

    @BeforeAll
    static void read() throws IOException {
        Storage storage = new Storage(new Configuration());
        ImageSource source = ImageSources.open(
                storage, "images", DEMO.resolve("images.parquet").toUri().toString());
        data = LabelledImages.read(
                storage,
                source,
                Recipes.load("demo").image().size(),
                Labels.of(10),
                new Quarantine("none", "read the embedded images", BadLimit.parse("0"), source.images()));
        count = Integer.getInteger("rar.demo.images", 1000);
    }

    @Test
    void theTokenizerReconstructsTheTestImagesWithAllItsCodes() throws IOException {
        Path file = DEMO.resolve("tokenizer.safetensors");
        assertThat(Files.size(file)).isLessThan(3_000_000);
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = Vqgan.load(TensorFile.open(file), manager)) {
            Recipe recipe = Recipes.load("demo");
            assertThat(vqgan.config().codes()).isEqualTo(recipe.model().codes());
            assertThat(vqgan.config().channelMult())
                    .isEqualTo(recipe.tokenizer().channelMult());
            Reconstruction quality = Reconstruction.measure(vqgan, data.images().subList(0, count), BATCH);
            System.out.printf(Locale.ROOT, "%d images: %s, PSNR %.3f dB%n", count, quality, quality.psnr());
            assertThat(quality.psnr()).isGreaterThan(26.2);
            assertThat(quality.codesUsed()).isGreaterThanOrEqualTo(500);
        }
    }

    @Test
    void theClassifierIsRightOnNineTestImagesOfTen() throws IOException {
        Path file = DEMO.resolve("classifier.safetensors");
        assertThat(Files.size(file)).isLessThan(1_000_000);
        TensorFile tensors = TensorFile.open(file);
        assertThat(tensors.metadata()).containsEntry("name", "fashion classifier");
        try (NDManager manager = NDManager.newBaseManager();
                Classifier classifier = Classifier.load(tensors, manager)) {
            assertThat(classifier.config().features()).isEqualTo(64);
            double accuracy = classifier.accuracy(data.images(), data.labels(), BATCH);
            System.out.printf(
                    Locale.ROOT, "%d images: accuracy %.4f%n", data.images().size(), accuracy);
            assertThat(accuracy).isGreaterThan(0.9);
        }
    }
}
