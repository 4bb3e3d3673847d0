package io.github.rarspark.kernel.inception;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class InceptionV3Test {
    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        assertThat(manager.getManagedArrays()).isEmpty();
        manager.close();
    }

    @Test
    void anImageHasTheSameActivationsInAnyBatch() {
        int height = 20;
        int width = 31;
        byte[] two = new byte[2 * height * width * 3];
        new Random(1).nextBytes(two);
        byte[] second = Arrays.copyOfRange(two, two.length / 2, two.length);
        try (NDManager cpu = NDManager.newBaseManager(Device.cpu());
                NamedTensors weights = NamedTensors.initial(InceptionV3.table(), 0, cpu);
                InceptionV3 network = new InceptionV3(weights, cpu, Precision.FP32);
                TensorScope s = TensorScope.inference(cpu)) {
            Activations both = network.activations(s, s.bytes(two, 2, height, width, 3));
            Activations alone = network.activations(s, s.bytes(second, 1, height, width, 3));
            assertThat(both.pool3().getShape()).isEqualTo(new Shape(2, InceptionV3.FEATURES));
            assertThat(both.spatial().getShape()).isEqualTo(new Shape(2, InceptionV3.SPATIAL_FEATURES));
            assertThat(both.logits().getShape()).isEqualTo(new Shape(2, InceptionV3.CLASSES));
            assertThat(row(both.pool3(), 1)).containsExactly(row(alone.pool3(), 0));
            assertThat(row(both.pool3(), 1)).isNotEqualTo(row(both.pool3(), 0));
            assertThat(row(both.spatial(), 1)).containsExactly(row(alone.spatial(), 0));
            assertThat(row(both.logits(), 1)).containsExactly(row(alone.logits(), 0));
        }
    }

    @Test
    void imagesOfTheInputsSizeAreNotInterpolated() {
        byte[] image = new byte[InputResize.SIDE * InputResize.SIDE * 3];
        new Random(2).nextBytes(image);
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x = InputResize.resize(s, s.bytes(image, 1, InputResize.SIDE, InputResize.SIDE, 3));
            assertThat(x.getShape()).isEqualTo(new Shape(1, 3, InputResize.SIDE, InputResize.SIDE));
            float[] green = s.reshape(s.narrow(x, 1, 1, 1), -1).toFloatArray();
            for (int i = 0; i < green.length; i++) {
                assertThat(green[i]).isEqualTo(((image[3 * i + 1] & 0xff) - 128) / 128f);
            }
        }
    }

    @Test
    void theLastPixelsHaveNoNeighbourToMixWith() {
        byte[] image = {0, 0, 0, (byte) 128, (byte) 128, (byte) 128};
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x = InputResize.resize(s, s.bytes(image, 1, 1, 2, 3));
            float[] row =
                    s.reshape(s.narrow(s.narrow(x, 1, 0, 1), 2, 298, 1), -1).toFloatArray();
            assertThat(row[0]).isEqualTo(-1);
            // Halfway: 128 * 2 * 75 / 299 of 128.
            assertThat(row[75]).isCloseTo(2 * 75 / 299f - 1, within(1e-6f));
            assertThat(Arrays.copyOfRange(row, 150, 299)).containsOnly(0);
        }
    }

    @Test
    void otherWeightsAreRefused() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (NDManager own = manager.newSubManager()) {
            Safetensors.write(bytes, Map.of(), Map.of("fc.bias", own.zeros(new Shape(1008))));
        }
        TensorFile file = TensorFile.open(new ByteArrayInputStream(bytes.toByteArray()), "half.safetensors");
        assertThatThrownBy(() -> InceptionV3.load(file, manager))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("half.safetensors")
                .hasMessageContaining("471 missing");
    }

    private static float[] row(NDArray matrix, int row) {
        float[] all = matrix.toFloatArray();
        int width = (int) matrix.getShape().get(1);
        return Arrays.copyOfRange(all, row * width, (row + 1) * width);
    }
}
