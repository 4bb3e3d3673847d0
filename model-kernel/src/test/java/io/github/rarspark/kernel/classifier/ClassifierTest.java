package io.github.rarspark.kernel.classifier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class ClassifierTest {
    private static final ClassifierConfig CONFIG = new ClassifierConfig(8, List.of(8, 16), 12, 2);

    @Test
    void sizesAreReadOffTheShapes() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (NDManager manager = NDManager.newBaseManager()) {
            NamedTensors weights = NamedTensors.initial(CONFIG.table(), 1, manager);
            Safetensors.write(out, Map.of(), weights.asMap());
        }
        ByteArrayInputStream in = new ByteArrayInputStream(out.toByteArray());
        assertThat(ClassifierConfig.of(TensorFile.open(in, "weights"))).isEqualTo(CONFIG);
    }

    @Test
    void featuresAreNonNegativeAndLogitsFollow() {
        try (NDManager manager = NDManager.newBaseManager();
                Classifier classifier = new Classifier(CONFIG, NamedTensors.initial(CONFIG.table(), 1, manager));
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray features = classifier.features(scope, scope.zeros(3, 3, 8, 8));
            assertThat(features.getShape().getShape()).containsExactly(3, 12);
            for (float feature : features.toFloatArray()) {
                assertThat(feature).isNotNegative();
            }
            assertThat(classifier.logits(scope, features).getShape().getShape()).containsExactly(3, 2);
            assertThatThrownBy(() -> classifier.features(scope, scope.zeros(3, 3, 16, 16)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("(3, 3, 16, 16)");
        }
    }

    @Test
    void learnsToTellHorizontalFromVerticalStripes() {
        List<RgbImage> images =
                IntStream.range(0, 64).mapToObj(ClassifierTest::stripes).toList();
        int[] labels = IntStream.range(0, 64).map(i -> i % 2).toArray();
        ClassifierTrainer.Settings settings = new ClassifierTrainer.Settings(60, 16, 3e-3, 1);
        try (NDManager manager = NDManager.newBaseManager();
                ClassifierTrainer trainer = new ClassifierTrainer(manager, CONFIG, settings, images, labels)) {
            double first = trainer.step();
            double last = first;
            while (trainer.steps() < settings.steps()) {
                last = trainer.step();
            }
            assertThat(last).isLessThan(first / 5);
            assertThat(trainer.classifier().accuracy(images, labels, 10)).isGreaterThan(0.95);
        }
    }

    @Test
    void aLabelThatIsNoClassIsRefused() {
        ClassifierTrainer.Settings settings = new ClassifierTrainer.Settings(1, 1, 1e-3, 1);
        try (NDManager manager = NDManager.newBaseManager()) {
            assertThatThrownBy(
                            () -> new ClassifierTrainer(manager, CONFIG, settings, List.of(stripes(0)), new int[] {2}))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("from 0 to 1");
        }
    }

    /** Noisy stripes, horizontal in even images. */
    private static RgbImage stripes(int index) {
        RandomStream random = RandomStream.of(4, Purpose.SPLIT, index);
        byte[] pixels = new byte[8 * 8 * 3];
        for (int p = 0; p < pixels.length; p++) {
            int along = index % 2 == 0 ? p / 24 : p / 3 % 8;
            pixels[p] = (byte) (along % 2 * 150 + random.nextInt(100));
        }
        return new RgbImage(8, 8, pixels);
    }
}
