package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class RarDecoderTest {
    @Test
    void stepsOutOfTurnAreRefused() {
        try (TinyRar tiny = TinyRar.adaln();
                TensorScope s = TensorScope.inference(tiny.manager);
                RarDecoder decoder = new RarDecoder(tiny.model, tiny.manager, new long[] {40}, TinyRar.raster(1))) {
            NDArray token = s.longs(new long[1], 1);
            assertThatThrownBy(() -> decoder.decode(s, token)).isInstanceOf(IllegalStateException.class);
            decoder.prefill(s);
            assertThatThrownBy(() -> decoder.prefill(s))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Cannot prefill a decoder that has already read 2 positions");
            for (int t = 1; t < TinyRar.TOKENS; t++) {
                decoder.decode(s, token);
            }
            assertThatThrownBy(() -> decoder.decode(s, token)).hasMessage("Cannot decode token 63 of 64");
        }
    }

    @Test
    void shapesThatTheNamesDoNotStateAreRefused() {
        try (TinyRar tiny = TinyRar.adaln();
                TensorScope s = TensorScope.inference(tiny.manager);
                RarDecoder decoder = new RarDecoder(tiny.model, tiny.manager, new long[] {39, 40}, TinyRar.raster(2))) {
            assertThatThrownBy(() -> new RarDecoder(tiny.model, tiny.manager, new long[] {39, 40}, TinyRar.raster(3)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot use orders_RT of shape [3, 64]: expected [2, 64]");
            decoder.prefill(s);
            NDArray column = s.longs(new long[2], 2, 1);
            assertThatThrownBy(() -> decoder.decode(s, column))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot use tokens_R of shape [2, 1]: expected [2]");
        }
    }

    @Test
    void aChooserHasToChooseATokenForEachRow() {
        try (TinyRar tiny = TinyRar.adaln();
                RarDecoder decoder = new RarDecoder(tiny.model, tiny.manager, new long[] {39, 40}, TinyRar.raster(2))) {
            assertThatThrownBy(() -> decoder.decodeAll(3, (s, t, logits_RV) -> s.longs(new long[1], 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot use tokens_R of shape [1]: expected [2]");
        }
    }

    /** A model to sample from has the modulations of no class at hand, and there may be no others to compute. */
    @Test
    void rowsWithoutAClassAreDecodedWithAndWithoutOthers() {
        try (TinyRar tiny = TinyRar.adaln();
                RarModel model = RarModel.forSampling(tiny.config, tiny.weights, Precision.FP32)) {
            long noClass = tiny.config.space().noClass();
            float[] alone = firstLogits(tiny, model, noClass, noClass);
            float[] beside =
                    firstLogits(tiny, model, noClass, tiny.config.space().classId(3));
            assertThat(Arrays.copyOf(beside, TinyRar.CODES)).containsExactly(Arrays.copyOf(alone, TinyRar.CODES));
            assertThat(beside).isNotEqualTo(alone);
            assertThat(firstLogits(tiny, tiny.model, noClass, noClass)).containsExactly(alone, within(2e-5f));
        }
    }

    private static float[] firstLogits(TinyRar tiny, RarModel model, long... conditions) {
        try (TensorScope s = TensorScope.inference(tiny.manager);
                RarDecoder decoder =
                        new RarDecoder(model, tiny.manager, conditions, TinyRar.raster(conditions.length))) {
            return decoder.prefill(s).toFloatArray();
        }
    }

    /** What the decoder computes ahead in one step outlives that step's scope. */
    @Test
    void closingADecoderLeavesGradientRecordingOn() {
        try (TinyRar tiny = TinyRar.adaln();
                TensorScope outer = TensorScope.training(tiny.manager)) {
            NDArray x = leaf(outer);
            prefillAndClose(tiny, TensorScope.inference(tiny.manager));
            outer.backward(outer.multiply(x, x));
            assertThat(outer.gradient(x).toFloatArray()).containsExactly(6);
        }
    }

    @Test
    void closingADecoderLeavesGradientRecordingOff() {
        try (TinyRar tiny = TinyRar.adaln();
                TensorScope outer = TensorScope.inference(tiny.manager)) {
            NDArray x = leaf(outer);
            prefillAndClose(tiny, TensorScope.training(tiny.manager));
            NDArray square = outer.multiply(x, x);
            assertThatThrownBy(() -> outer.backward(square))
                    .isInstanceOf(NativeException.class)
                    .hasMessageContaining("does not require grad");
        }
    }

    private static NDArray leaf(TensorScope s) {
        NDArray x = s.floats(new float[] {3});
        TensorScope.requireGradients(List.of(x));
        return x;
    }

    private static void prefillAndClose(TinyRar tiny, TensorScope step) {
        try (RarDecoder decoder = new RarDecoder(tiny.model, tiny.manager, new long[] {40}, TinyRar.raster(1))) {
            try (step) {
                decoder.prefill(step);
            }
        }
    }
}
