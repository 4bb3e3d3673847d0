package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

/**
 * Draws each token from its distribution. Shapes: B images, T image tokens, V codes.
 *
 * @param uniforms_TB float64 in [0, 1), a number for each token
 * @param totals_B float64, the sums of the probabilities that were drawn from
 * @param temperature divides the logits
 */
record Drawing(NDArray uniforms_TB, NDArray totals_B, double temperature) implements Chooser {
    @Override
    public NDArray choose(TensorScope s, int t, NDArray logits_BV) {
        NDArray uniforms_B = s.reshape(s.narrow(uniforms_TB, 0, t, 1), -1);
        return s.sampleCategories(s.softmax(s.affine(logits_BV, 1 / temperature, 0)), uniforms_B, totals_B);
    }

    @Override
    public void check() {
        if (!Arrays.stream(totals_B.toDoubleArray()).allMatch(Double::isFinite)) {
            throw new NumericException("The probabilities of a token are not finite");
        }
    }
}
