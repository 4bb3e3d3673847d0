package io.github.rarspark.kernel.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class AdamWTest {
    private static final AdamW.Settings SETTINGS = new AdamW.Settings(0.9, 0.999, 1e-8, 0, 1e9);

    /** An optimizer of one parameter [1, 1] whose gradient is [3, 3]. */
    private static void withGradient(Fixture body) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            NDArray weight = s.floats(new float[] {1, 1}, 2);
            Map<String, NDArray> parameters = Map.of("weight", weight);
            TensorScope.requireGradients(parameters.values());
            try (AdamW optimizer = new AdamW(manager, parameters, name -> true, SETTINGS)) {
                s.backward(s.sum(s.affine(weight, 3, 0), 0));
                body.run(optimizer, weight);
            }
        }
    }

    private interface Fixture {
        void run(AdamW optimizer, NDArray weight);
    }

    @Test
    void theFirstStepIsOneLearningRateAgainstTheGradient() {
        withGradient((optimizer, weight) -> {
            assertThat(optimizer.gradientNorm()).isCloseTo(Math.sqrt(18), within(1e-6));
            optimizer.step(0.25, Math.sqrt(18));
            assertThat(weight.toFloatArray()).containsExactly(0.75f, 0.75f);
            assertThat(optimizer.firstMoments().get("weight").toFloatArray()).containsExactly(0.3f, 0.3f);
        });
    }

    @Test
    void aTensorThatWasClosedMeanwhileIsAnException() {
        for (Consumer<AdamW> close : List.<Consumer<AdamW>>of(
                optimizer -> optimizer.firstMoments().get("weight").close(),
                optimizer -> optimizer.secondMoments().get("weight").close(),
                AdamW::close)) {
            withGradient((optimizer, weight) -> {
                close.accept(optimizer);
                assertThatThrownBy(() -> optimizer.step(0.25, Math.sqrt(18)))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("released");
            });
        }
        withGradient((optimizer, weight) -> {
            weight.close();
            assertThatThrownBy(() -> optimizer.step(0.25, Math.sqrt(18))).isInstanceOf(IllegalStateException.class);
        });
    }
}
