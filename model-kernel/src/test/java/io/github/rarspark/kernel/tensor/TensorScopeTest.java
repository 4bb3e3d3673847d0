package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.NativeException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class TensorScopeTest {
    @Test
    void splitGivesEqualPartsAndTheirGradientsComeTogether() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            NDArray x = s.floats(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 4);
            TensorScope.requireGradients(List.of(x));
            List<NDArray> parts = s.split(x, -1, 2);
            assertThat(parts).extracting(NDArray::getShape).containsExactly(new Shape(2, 2), new Shape(2, 2));
            assertThat(parts.get(0).toFloatArray()).containsExactly(1, 2, 5, 6);
            assertThat(parts.get(1).toFloatArray()).containsExactly(3, 4, 7, 8);

            s.backward(s.sum(s.add(s.affine(parts.get(0), 2, 0), s.affine(parts.get(1), 5, 0)), 0, 1));
            assertThat(s.gradient(x).toFloatArray()).containsExactly(2, 2, 5, 5, 2, 2, 5, 5);
        }
    }

    @Test
    void aGraphInTwoPartsHasTheGradientOfAWholeOne() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            NDArray x = s.floats(new float[] {1, 2, 3}, 3);
            TensorScope.requireGradients(List.of(x));
            List<NDArray> outputs = List.of(s.affine(x, 2, 0), s.multiply(x, x));
            List<NDArray> inputs = outputs.stream().map(s::leaf).toList();
            assertThat(inputs.get(1).toFloatArray()).containsExactly(1, 4, 9);

            s.backward(s.sum(s.multiply(inputs.get(0), inputs.get(1)), 0));
            assertThatThrownBy(() -> s.gradient(x))
                    .isInstanceOf(NativeException.class)
                    .hasMessage("the tensor has no gradient");
            s.backward(outputs, inputs.stream().map(s::gradient).toList());
            assertThat(s.gradient(x).toFloatArray()).as("of 2 x^3").containsExactly(6, 24, 54);
        }
    }

    @Test
    void unequalPartsAreRefused() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.zeros(2, 4);
            assertThatThrownBy(() -> s.split(x, 1, 3))
                    .isInstanceOf(NativeException.class)
                    .hasMessage("cannot split an axis of 4 into 3 equal parts");
        }
    }

    @Test
    void aTypeThatDjlCannotConvertToIsConverted() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.floats(new float[] {1, 1 + 1f / 1024, -300.5f}, 3);
            NDArray rounded = s.to(x, DataType.BFLOAT16);
            assertThat(s.to(rounded, DataType.FLOAT32).toFloatArray()).containsExactly(1, 1, -300);
            assertThat(s.to(x, DataType.FLOAT64).toDoubleArray()).containsExactly(1, 1 + 1.0 / 1024, -300.5);
            assertThat(s.to(x, DataType.INT64).toLongArray()).containsExactly(1, 1, -300);
            assertThatThrownBy(() -> s.to(x, DataType.STRING))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot convert a tensor to STRING");
        }
    }

    @Test
    void aViewOutlivesTheTensorThatJavaMade() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            List<NDArray> views = new ArrayList<>();
            long before = directBytes();
            try (TensorScope inner = s.open()) {
                float[] floats = new float[1 << 20];
                long[] longs = new long[1 << 20];
                Arrays.fill(floats, 1.5f);
                Arrays.fill(longs, 7);
                views.add(inner.keep(inner.reshape(inner.floats(floats, 1 << 20), 1 << 10, 1 << 10)));
                views.add(inner.keep(inner.reshape(inner.longs(longs, 1 << 20), 1 << 10, 1 << 10)));
                views.add(inner.keep(inner.reshape(inner.doubles(new double[] {2.5}, 1), 1, 1)));
                views.add(inner.keep(inner.reshape(inner.bytes(new byte[] {-1}, 1), 1, 1)));
                // Less if buffers of earlier tests were collected meanwhile.
                assertThat(directBytes())
                        .as("bytes of Java's that tensors borrow")
                        .isLessThanOrEqualTo(before);
            }
            System.gc();
            assertThat(views.get(0).toFloatArray()).hasSize(1 << 20).containsOnly(1.5f);
            assertThat(views.get(1).toLongArray()).hasSize(1 << 20).containsOnly(7);
            assertThat(views.get(2).toDoubleArray()).containsExactly(2.5);
            assertThat(views.get(3).toUint8Array()).containsExactly(255);
        }
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    void valuesThatDoNotFillTheShapeAreRefused() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            assertThatThrownBy(() -> s.floats(new float[5], 2, 3))
                    .isInstanceOf(NativeException.class)
                    .hasMessage("5 values do not fill the shape [2, 3]");
            assertThat(s.floats(new float[0], 0, 3).getShape()).isEqualTo(new Shape(0, 3));
            assertThat(s.floats(new float[] {4}).getShape()).isEqualTo(new Shape());
        }
    }
}
