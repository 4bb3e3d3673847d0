package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class PrecisionTest {
    /** One bit too fine for bfloat16, which rounds it to 1. */
    private static final float EXACT = 1 + 0x1p-10f;

    @Test
    void productsAreOfThePrecisionUntilItIsClosed() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            try (Autocast outer = Precision.FP32.autocast(s.device())) {
                assertThat(product(s)).isEqualTo(EXACT);
                try (Autocast inner = Precision.BF16.autocast(s.device())) {
                    assertThat(product(s)).isEqualTo(1);
                }
                assertThat(product(s)).isEqualTo(EXACT);
            }
            assertThat(product(s)).isEqualTo(EXACT);
        }
    }

    private static float product(TensorScope s) {
        NDArray product_11 = s.matmul(s.floats(new float[] {EXACT}, 1, 1), s.floats(new float[] {1}, 1, 1));
        return s.to(product_11, DataType.FLOAT32).toFloatArray()[0];
    }
}
