package io.github.rarspark.kernel.vqgan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
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
    void anImageIsReconstructedFromItsTokens() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager);
                TensorScope scope = TensorScope.inference(manager)) {
            RgbImage image = image(4);
            ReconstructedImage result = ReconstructedImage.of(vqgan, image);
            NDArray tokens = scope.longs(result.tokens(), 1, 4);
            float[] decoded = vqgan.decode(scope, tokens).toFloatArray();
            assertThat(result.decoded().pixels())
                    .isEqualTo(Pixels.toImages(decoded, 4, 4).get(0).pixels());
            Reconstruction measured = Reconstruction.measure(vqgan, List.of(image), 1);
            assertThat(measured.meanSquaredError()).isPositive();
            assertThat(result.meanSquaredError()).isEqualTo(measured.meanSquaredError());
            assertThat(result.psnr()).isEqualTo(measured.psnr());
        }
    }

    private static RgbImage image(int side) {
        byte[] pixels = new byte[RgbImage.CHANNELS * side * side];
        RandomStream random = RandomStream.of(5, Purpose.SPLIT, 0);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) random.nextInt(256);
        }
        return new RgbImage(side, side, pixels);
    }

    @Test
    void tokensAreTheCodesNearestToTheLatents() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = initial(manager);
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray x = pixels(scope, 2);
            NDArray tokens = vqgan.encode(scope, x);
            assertThat(tokens.getShape().getShape()).containsExactly(2, 16);
            assertThat(tokens).isEqualTo(vqgan.nearest(scope, vqgan.latents(scope, x)));
            assertThat(Arrays.stream(tokens.toLongArray()).distinct().count()).isGreaterThan(1);
        }
    }

    @Test
    void packedWeightsComputeWhatTheTrainedOnesDoAndLeaveTheirArgumentsAlone() {
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan trained = initial(manager);
                Vqgan packed = Vqgan.forInference(CONFIG, trained.weights(), Precision.FP32);
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray x = pixels(scope, 2);
            NDArray latents = trained.latents(scope, x);
            assertThat(floats(scope, packed.latents(scope, x))).containsExactly(floats(scope, latents), within(1e-5f));
            assertThat(packed.encode(scope, x)).isEqualTo(trained.encode(scope, x));
            assertThat(x).isEqualTo(pixels(scope, 2));
            NDArray before = scope.copyOf(latents);
            assertThat(floats(scope, packed.decodeUnclamped(scope, latents)))
                    .containsExactly(floats(scope, trained.decodeUnclamped(scope, latents)), within(1e-5f));
            assertThat(latents).isEqualTo(before);
        }
    }

    @Test
    void anImageHasTheSameBitsInAnyBatchAndOnAnyNumberOfThreads() {
        int threads = Torch.intraOpThreads();
        int images = 3;
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan trained = initial(manager);
                Vqgan vqgan = Vqgan.forInference(CONFIG, trained.weights(), Precision.FP32);
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray x = pixels(scope, images);
            NDArray latents = vqgan.latents(scope, x);
            NDArray pixels = vqgan.decodeUnclamped(scope, latents);
            for (int count : new int[] {1, 2}) {
                Torch.setIntraOpThreads(count);
                for (int image = 0; image < images; image++) {
                    NDArray alone = vqgan.latents(scope, scope.narrow(x, 0, image, 1));
                    assertThat(floats(scope, alone)).containsExactly(floats(scope, scope.narrow(latents, 0, image, 1)));
                    assertThat(floats(scope, vqgan.decodeUnclamped(scope, alone)))
                            .containsExactly(floats(scope, scope.narrow(pixels, 0, image, 1)));
                }
            }
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }

    /** Of codes so near to each other that rounding chooses among them. */
    @Test
    void aLatentHasTheSameCodeInAnyBatchAndOnAnyNumberOfThreads() {
        int threads = Torch.intraOpThreads();
        int width = 64;
        int codes = 512;
        int latents = 96;
        VqganConfig config = new VqganConfig(32, List.of(1), 1, width, codes);
        RandomStream random = RandomStream.of(3, Purpose.SPLIT);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Vqgan vqgan = new Vqgan(config, NamedTensors.initial(config.table(), 0, manager));
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray near = scope.floats(Init.uniform(1).draw(width, random), 1, width);
            NDArray steps = scope.floats(Init.uniform(1e-6).draw(codes * width, random), codes, width);
            scope.copy(vqgan.weights().get("quantize.embedding.weight"), scope.add(near, steps));
            NDArray z = scope.floats(Init.uniform(1).draw(latents * width, random), latents, width, 1, 1);
            long[] all = vqgan.nearest(scope, z).toLongArray();
            for (int count : new int[] {1, 2}) {
                Torch.setIntraOpThreads(count);
                for (int rows : new int[] {1, 2, 3, 16, 48}) {
                    for (int row = 0; row < latents; row += rows) {
                        assertThat(vqgan.nearest(scope, scope.narrow(z, 0, row, rows))
                                        .toLongArray())
                                .as(rows + " latents from " + row + ", " + count + " threads")
                                .containsExactly(Arrays.copyOfRange(all, row, row + rows));
                    }
                }
            }
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }

    private static NDArray pixels(TensorScope scope, int images) {
        float[] values = Init.uniform(1).draw(images * 3 * 64, RandomStream.of(1, Purpose.SPLIT));
        return scope.floats(values, images, 3, 8, 8);
    }

    private static float[] floats(TensorScope scope, NDArray x) {
        return scope.reshape(x, -1).toFloatArray();
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
