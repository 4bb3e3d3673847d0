package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations with a backward pass of their own, beside the sequences of libtorch's operations that they stand for. */
@Tag("device")
class TrainingOperationsTest {
    private static final double RATE = 0.3;
    private static final long[] KEYS = {3, -7};

    /** The result of a function of leaves, and its gradients for them. */
    private static List<float[]> differentiated(Function<TensorScope, List<NDArray>> leaves, Forward forward) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            List<NDArray> inputs = leaves.apply(s);
            TensorScope.requireGradients(inputs);
            NDArray y = forward.of(s, inputs);
            NDArray direction = normal(s, 9, 1, y.getShape().getShape());
            s.backward(List.of(y), List.of(direction));
            List<float[]> all = new ArrayList<>();
            all.add(s.detach(y).toFloatArray());
            inputs.forEach(input -> all.add(s.gradient(input).toFloatArray()));
            return all;
        }
    }

    private interface Forward {
        NDArray of(TensorScope s, List<NDArray> inputs);
    }

    private static NDArray normal(TensorScope s, long stream, double scale, long... shape) {
        RandomStream random = RandomStream.of(1, Purpose.SPLIT, stream);
        float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return s.floats(values, shape);
    }

    private static void assertClose(List<float[]> actual, List<float[]> expected, double relative) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            float largest = 0;
            for (float value : expected.get(i)) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(largest).isGreaterThan(0.1f);
            assertThat(actual.get(i)).as("result, then gradients: " + i).containsExactly(expected.get(i), within((float)
                    (relative * largest)));
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 16, 48", "130, 96, 40", "1, 7, 5", "64, 128, 3"})
    void linear(int rows, int in, int out) {
        Function<TensorScope, List<NDArray>> leaves =
                s -> List.of(normal(s, 1, 1, rows, 2, in), normal(s, 2, 1, out, in), normal(s, 3, 1, out));
        assertClose(
                differentiated(leaves, (s, x) -> s.linear(x.get(0), x.get(1), x.get(2))),
                differentiated(leaves, (s, x) -> s.add(s.matmul(x.get(0), s.permute(x.get(1), 1, 0)), x.get(2))),
                1e-5);
        List<float[]> withoutBias =
                differentiated(s -> leaves.apply(s).subList(0, 2), (s, x) -> s.linear(x.get(0), x.get(1), null));
        assertClose(
                withoutBias,
                differentiated(
                        s -> leaves.apply(s).subList(0, 2), (s, x) -> s.matmul(x.get(0), s.permute(x.get(1), 1, 0))),
                1e-5);
    }

    /** Rows shorter and longer than the pieces that masks are drawn in. */
    @ParameterizedTest
    @ValueSource(ints = {9, 2048, 2049, 5001})
    void dropout(int width) {
        Function<TensorScope, List<NDArray>> leaves = s -> List.of(normal(s, 1, 1, 2, width));
        assertClose(
                differentiated(leaves, (s, x) -> s.dropout(x.get(0), RATE, KEYS)),
                differentiated(leaves, (s, x) -> s.multiply(x.get(0), mask(s, 2, width))),
                1e-6);
    }

    /** The rows of an odd number of weights begin in the middle of a random word. */
    @ParameterizedTest
    @ValueSource(ints = {2, 7, 50})
    void attentionWithDropout(int positions) {
        assertClose(
                differentiated(
                        s -> heads(s, positions),
                        (s, x) -> s.attentionWithDropout(x.get(0), x.get(1), x.get(2), RATE, KEYS)),
                differentiated(s -> heads(s, positions), (s, x) -> attention(s, x.get(0), x.get(1), x.get(2))),
                1e-5);
    }

    @Test
    void attentionInBfloat16IsNearThatInFloat32() {
        assertClose(
                differentiated(s -> heads(s, 50), (s, x) -> {
                    List<NDArray> qkv =
                            x.stream().map(h -> s.to(h, DataType.BFLOAT16)).toList();
                    return s.to(
                            s.attentionWithDropout(qkv.get(0), qkv.get(1), qkv.get(2), RATE, KEYS), DataType.FLOAT32);
                }),
                differentiated(
                        s -> heads(s, 50), (s, x) -> s.attentionWithDropout(x.get(0), x.get(1), x.get(2), RATE, KEYS)),
                0.02);
    }

    /** Queries, keys and values of two rows and three heads of 20. */
    private static List<NDArray> heads(TensorScope s, int positions) {
        return LongStream.rangeClosed(1, 3)
                .mapToObj(stream -> normal(s, stream, 1, 2, 3, positions, 20))
                .toList();
    }

    private static NDArray mask(TensorScope s, long... shape) {
        float[] ones = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        Arrays.fill(ones, 1);
        return s.dropout(s.floats(ones, shape), RATE, KEYS);
    }

    private static NDArray attention(TensorScope s, NDArray q, NDArray k, NDArray v) {
        int positions = (int) q.getShape().get(2);
        float[] future = new float[positions * positions];
        for (int i = 0; i < future.length; i++) {
            future[i] = i % positions > i / positions ? -1e9f : 0;
        }
        NDArray scores = s.affine(s.matmul(q, s.permute(k, 0, 1, 3, 2)), 1 / Math.sqrt(20), 0);
        NDArray weights = s.softmax(s.add(scores, s.floats(future, positions, positions)));
        return s.matmul(s.multiply(weights, mask(s, 2, 3, positions, positions)), v);
    }
}
