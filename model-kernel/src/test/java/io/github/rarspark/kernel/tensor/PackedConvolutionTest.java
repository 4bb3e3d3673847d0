package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackedConvolutionTest {
    private static final int BATCH = 3;
    private static final int SIDE = 17;

    private final NDManager manager = NDManager.newBaseManager();
    private final TensorScope s = TensorScope.inference(manager);
    private final RandomStream random = RandomStream.of(2, Purpose.SPLIT);
    private final int threads = Torch.intraOpThreads();

    @AfterEach
    void close() {
        Torch.setIntraOpThreads(threads);
        s.close();
        assertThat(manager.getManagedArrays()).isEmpty();
        manager.close();
    }

    @ParameterizedTest
    @CsvSource({
        "3, 32, 3, 3, 1, 1, 1",
        "32, 48, 1, 1, 1, 0, 0",
        "32, 48, 1, 7, 1, 0, 3",
        "48, 32, 3, 3, 2, 0, 0",
        "40, 3, 3, 3, 1, 1, 1",
        "80, 33, 5, 5, 1, 2, 2",
        "32, 32, 1, 1, 2, 0, 0"
    })
    void isTheConvolutionInAnyBatchAndOnAnyNumberOfThreads(
            int in, int out, int height, int width, int stride, int paddingHeight, int paddingWidth) {
        NDArray x = normal(BATCH, in, SIDE, SIDE);
        NDArray weight = normal(out, in, height, width);
        NDArray bias = normal(out);
        for (int side : new int[] {SIDE, 64}) {
            NDArray packed = s.packConvolution(weight, stride, paddingHeight, paddingWidth, side);
            NDArray all = s.conv2d(x, packed, bias, stride, paddingHeight, paddingWidth);
            NDArray expected = s.conv2d(wide(x), wide(weight), wide(bias), stride, paddingHeight, paddingWidth);
            assertNear(all, expected);
            assertNear(s.conv2dRelu(x, packed, bias, stride, paddingHeight, paddingWidth), s.clamp(expected, 0, 1e30));
            assertNear(
                    s.conv2d(x, packed, null, stride, paddingHeight, paddingWidth),
                    s.subtract(expected, s.reshape(wide(bias), -1, 1, 1)));
            for (int count : new int[] {1, 2}) {
                Torch.setIntraOpThreads(count);
                for (int image = 0; image < BATCH; image++) {
                    int rows = Math.min(1 + image % 2, BATCH - image);
                    NDArray some =
                            s.conv2d(s.narrow(x, 0, image, rows), packed, bias, stride, paddingHeight, paddingWidth);
                    assertThat(Arrays.equals(values(some), values(s.narrow(all, 0, image, rows))))
                            .as("images from " + image + ", " + count + " threads")
                            .isTrue();
                }
            }
        }
    }

    @Test
    void addsToATensorInPlace() {
        NDArray x = normal(BATCH, 32, SIDE, SIDE);
        for (int kernel : new int[] {3, 1}) {
            NDArray weight = normal(48, 32, kernel, kernel);
            NDArray sum = normal(BATCH, 48, SIDE, SIDE);
            int padding = kernel / 2;
            NDArray expected = s.add(wide(sum), s.conv2d(wide(x), wide(weight), null, 1, padding));
            assertNear(s.addConv2d(sum, x, weight, padding), expected);
            NDArray packed = s.packConvolution(weight, 1, padding, padding, SIDE);
            assertNear(s.addConv2d(sum, x, packed, padding), expected);
        }
    }

    @Test
    void aLayerMayBeAddedToItsOwnInput() {
        NDArray x = normal(BATCH, 32, SIDE, SIDE);
        NDArray weight = normal(32, 32, 1, 1);
        NDArray expected = s.add(wide(x), s.conv2d(wide(x), wide(weight), null, 1, 0));
        assertNear(s.addConv2d(x, x, s.packConvolution(weight, 1, 0, 0, SIDE), 0), expected);
    }

    @Test
    void upsamplesAndConvolves() {
        NDArray x = normal(BATCH, 32, SIDE, SIDE - 3);
        NDArray weight = normal(48, 32, 3, 3);
        NDArray bias = normal(48);
        NDArray packed = s.packUpsampledConvolution(weight, SIDE);
        NDArray expected = s.upsampledConv2d(wide(x), wide(weight), wide(bias));
        assertThat(expected.getShape().getShape()).containsExactly(BATCH, 48, 2 * SIDE, 2 * (SIDE - 3));
        NDArray all = s.upsampledConv2d(x, packed, bias);
        assertNear(all, expected);
        for (int count : new int[] {1, 2}) {
            Torch.setIntraOpThreads(count);
            NDArray last = s.upsampledConv2d(s.narrow(x, 0, BATCH - 1, 1), packed, bias);
            assertThat(Arrays.equals(values(last), values(s.narrow(all, 0, BATCH - 1, 1))))
                    .isTrue();
        }
    }

    @Test
    void groupNormalizationHasTheSameBitsInAnyBatchAndOnAnyNumberOfThreads() {
        NDArray x = s.channelsLast(normal(BATCH, 64, 40, 40));
        NDArray weight = normal(64);
        NDArray bias = normal(64);
        Torch.setIntraOpThreads(1);
        NDArray all = s.groupNormSilu(x, 32, weight, bias, 1e-6);
        for (int count : new int[] {1, 2}) {
            Torch.setIntraOpThreads(count);
            for (int image = 0; image < BATCH; image++) {
                NDArray alone = s.groupNormSilu(s.narrow(x, 0, image, 1), 32, weight, bias, 1e-6);
                assertThat(Arrays.equals(values(alone), values(s.narrow(all, 0, image, 1))))
                        .isTrue();
            }
        }
    }

    private NDArray normal(long... shape) {
        float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return s.floats(values, shape);
    }

    private NDArray wide(NDArray x) {
        return s.to(x, DataType.FLOAT64);
    }

    private float[] values(NDArray x) {
        return s.reshape(x, -1).toFloatArray();
    }

    /** Of the largest value: sums of up to 2,000 products in float32. */
    private void assertNear(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        double[] a = s.reshape(wide(actual), -1).toDoubleArray();
        double[] e = s.reshape(expected, -1).toDoubleArray();
        double largest = Arrays.stream(e).map(Math::abs).max().orElseThrow();
        double error = 0;
        for (int i = 0; i < a.length; i++) {
            error = Math.max(error, Math.abs(a[i] - e[i]));
        }
        assertThat(error).isLessThan(2e-6 * largest);
    }
}
