package io.github.rarspark.kernel.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class OptimizerStepTest {
    private static final LearningRate RATE = new LearningRate(0.1, 0, 1, 3);

    private NDManager manager;
    private NDArray weight;
    private AdamW optimizer;
    private OptimizerStep step;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager();
        weight = manager.create(new float[] {3, 4}, new Shape(2));
        TensorScope.requireGradients(Map.of("weight", weight).values());
        optimizer =
                new AdamW(manager, Map.of("weight", weight), name -> false, new AdamW.Settings(0.9, 0.99, 1e-8, 0, 1));
        step = new OptimizerStep(optimizer, RATE);
    }

    @AfterEach
    void close() {
        optimizer.close();
        manager.close();
    }

    /** Leaves the gradient {@code factor * weight}. */
    private void backward(double factor) {
        try (TensorScope s = TensorScope.training(manager)) {
            s.backward(s.affine(s.mean(s.multiply(weight, weight)), factor, 0));
        }
    }

    @Test
    void theNormIsThatBeforeClippingAndTheRateThatOfTheStep() {
        backward(1);
        assertThat(step.run()).isCloseTo(5, within(1e-5));
        assertThat(weight.toFloatArray()).as("the warm-up begins at 0").containsExactly(3, 4);
        backward(1);
        step.run();
        // AdamW's first updates go by the learning rate, whatever the gradient's length.
        assertThat(weight.toFloatArray()).usingComparatorWithPrecision(1e-4f).containsExactly(2.9f, 3.9f);
        assertThat(optimizer.steps()).isEqualTo(2);
    }

    @Test
    void gradientsAreClearedForTheNextStep() {
        backward(1);
        step.run();
        backward(2);
        assertThat(step.run()).as("not the sum of both").isCloseTo(10, within(1e-5));
    }

    @Test
    void aStepIsSkippedWhenTheGradientIsTooLargeOrNotFinite() {
        backward(1);
        assertThat(step.runOrSkip(1, 4.9).skipped()).isTrue();
        backward(Double.POSITIVE_INFINITY);
        assertThat(step.runOrSkip(1, Double.MAX_VALUE).skipped()).isTrue();
        assertThat(weight.toFloatArray()).containsExactly(3, 4);
        assertThat(optimizer.firstMoments().get("weight").toFloatArray()).containsExactly(0, 0);
        assertThat(optimizer.steps()).isZero();
        backward(1);
        OptimizerStep.Result made = step.runOrSkip(1, 5.1);
        assertThat(made.skipped()).isFalse();
        assertThat(made.gradientNorm()).as("of this gradient alone").isCloseTo(5, within(1e-5));
        assertThat(weight.toFloatArray())
                .as("at the rate of the step given, as the optimizer's first update")
                .usingComparatorWithPrecision(1e-4f)
                .containsExactly(2.9f, 3.9f);
    }

    @Test
    void nothingMovesWhenTheGradientIsNotFinite() {
        backward(1);
        step.run();
        backward(Double.NaN);
        assertThatThrownBy(() -> step.run())
                .isInstanceOfSatisfying(NumericException.class, e -> assertThat(e.advising("do something else"))
                        .hasMessage("The gradient of step 1 is not finite; do something else")
                        .hasCause(e));
        assertThat(weight.toFloatArray()).containsExactly(3, 4);
        assertThat(optimizer.steps()).isEqualTo(1);
        assertThat(optimizer.firstMoments().get("weight").toFloatArray())
                .doesNotContain(Float.NaN)
                .doesNotContain(0);
    }
}
