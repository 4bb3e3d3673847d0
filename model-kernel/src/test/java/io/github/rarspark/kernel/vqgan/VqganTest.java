package io.github.rarspark.kernel.vqgan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VqganTest {
    private static final VqganConfig CONFIG = new VqganConfig(32, List.of(1, 2), 1, 4, 8);

    @Test
    void sizesAreReadOffTheShapes() throws IOException {
        VqganConfig config = new VqganConfig(32, List.of(2, 1, 3), 2, 6, 10);
        try (NDManager manager = NDManager.newBaseManager()) {
            NamedTensors weights = NamedTensors.initial(config.table(), 1, manager);
            assertThat(VqganConfig.of(file(weights.asMap()))).isEqualTo(config);
        }
    }

    @Test
    void aFileOfAnotherModelIsRefused() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            TensorFile file = file(Map.of("lm_head.weight", manager.zeros(new Shape(2, 2))));
            assertThatThrownBy(() -> Vqgan.load(file, manager))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("encoder.conv_in.weight");
        }
    }

    @Test
    void theFirstOfEquallyNearCodesIsChosen() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager);
                TensorScope scope = TensorScope.inference(manager)) {
            float[] codes = new float[8 * 4];
            codes[4 * 3] = 1;
            codes[4 * 5] = 1;
            codes[4 * 6] = -1;
            scope.copy(vqgan.weights().get("quantize.embedding.weight"), scope.floats(codes, 8, 4));
            NDArray z = scope.floats(new float[] {0.9f, -2, 0, 0, 0, 0, 0, 0}, 1, 4, 1, 2);
            assertThat(vqgan.nearest(scope, z).toLongArray()).containsExactly(3, 6);
        }
    }

    @Test
    void tokensKeepTheirPlaces() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager);
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray tokens = scope.longs(new long[] {0, 1, 2, 3, 4, 5, 6, 7, 0}, 1, 9);
            assertThat(vqgan.nearest(scope, vqgan.codes(scope, tokens))).isEqualTo(tokens);
        }
    }

    @Test
    void tokensAreTheCodesNearestToTheLatentsInEitherLayout() {
        for (int hidden : new int[] {32, 64}) {
            VqganConfig config = new VqganConfig(hidden, List.of(1, 2), 1, 4, 8);
            try (NDManager manager = NDManager.newBaseManager();
                    Vqgan vqgan = new Vqgan(config, NamedTensors.initial(config.table(), 0, manager));
                    TensorScope scope = TensorScope.inference(manager)) {
                NDArray x =
                        scope.floats(Init.uniform(1).draw(2 * 3 * 64, RandomStream.of(1, Purpose.SPLIT)), 2, 3, 8, 8);
                NDArray tokens = vqgan.encode(scope, x);
                assertThat(tokens.getShape().getShape()).containsExactly(2, 16);
                assertThat(tokens).isEqualTo(vqgan.nearest(scope, vqgan.latents(scope, x)));
                assertThat(Arrays.stream(tokens.toLongArray()).distinct().count())
                        .isGreaterThan(1);
            }
        }
    }

    @Test
    void decodedPixelsAreInRangeAndNothingIsLeftOpen() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager)) {
            int before = manager.getManagedArrays().size();
            try (TensorScope scope = TensorScope.inference(manager)) {
                NDArray pixels = vqgan.decode(scope, scope.longs(new long[32], 2, 16));
                assertThat(scope.manager().getManagedArrays()).hasSize(2);
                assertThat(pixels.getShape().getShape()).containsExactly(2, 3, 8, 8);
                for (float value : pixels.toFloatArray()) {
                    assertThat(value).isBetween(0f, 1f);
                }
            }
            assertThat(manager.getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void unfittingShapesAreRefused() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager);
                TensorScope scope = TensorScope.inference(manager)) {
            assertThatThrownBy(() -> vqgan.encode(scope, scope.zeros(1, 3, 9, 8)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("(1, 3, 9, 8)")
                    .hasMessageContaining("divisible by 2");
            assertThatThrownBy(() -> vqgan.decode(scope, scope.longs(new long[8], 1, 8)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("8 tokens");
        }
    }

    private static Vqgan initial(NDManager manager) {
        return new Vqgan(CONFIG, NamedTensors.initial(CONFIG.table(), 0, manager));
    }

    private static TensorFile file(Map<String, NDArray> tensors) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Safetensors.write(out, Map.of(), tensors);
        return TensorFile.open(new ByteArrayInputStream(out.toByteArray()), "weights");
    }
}
