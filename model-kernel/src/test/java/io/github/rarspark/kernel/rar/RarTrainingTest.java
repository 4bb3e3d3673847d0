package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Training steps in mixed precision. */
@Tag("device")
class RarTrainingTest {
    @ParameterizedTest
    @EnumSource
    void theLossInBfloat16IsNearThatInFloat32AndItsGradientsAreFinite(Conditioning conditioning) {
        try (TinyRar tiny = new TinyRar(TinyRar.config(conditioning, true))) {
            TensorScope.requireGradients(tiny.weights.asMap().values());
            double exact = loss(tiny, Precision.FP32);
            double rounded = loss(tiny, Precision.BF16);
            // Single logits are off by up to 0.1; their mean over 4 x 64 tokens by far less.
            assertThat(rounded).isCloseTo(exact, within(0.01)).isNotEqualTo(exact);
            try (TensorScope s = TensorScope.training(tiny.manager)) {
                tiny.weights.asMap().forEach((name, weight) -> {
                    NDArray gradient = s.gradient(weight);
                    assertThat(gradient.getDataType()).as(name).isEqualTo(weight.getDataType());
                    for (float value : gradient.toFloatArray()) {
                        assertThat(Float.isFinite(value)).as(name).isTrue();
                    }
                });
            }
        }
    }

    /** The loss; its gradients are added to those of the weights. */
    private static double loss(TinyRar tiny, Precision precision) {
        RarModel model = new RarModel(tiny.config, tiny.weights, precision);
        try (TensorScope s = TensorScope.training(tiny.manager)) {
            NDArray loss = model.loss(s, tiny.batch(4), KeyedDropout.NONE);
            s.backward(loss);
            return loss.getFloat();
        }
    }

    @Test
    void twentyStepsLowerTheLossAndLeaveNothingOpen() {
        AdamW.Settings settings = new AdamW.Settings(0.9, 0.96, 1e-8, 0.03, 1);
        try (TinyRar tiny = TinyRar.adaln()) {
            TensorScope.requireGradients(tiny.weights.asMap().values());
            int before = tiny.manager.getManagedArrays().size();
            List<Double> losses = new ArrayList<>();
            try (AdamW optimizer = new AdamW(tiny.manager, tiny.weights.asMap(), tiny.config::decays, settings)) {
                OptimizerStep optimizerStep = new OptimizerStep(optimizer, new LearningRate(4e-3, 4e-3, 0, 20));
                for (int step = 0; step < 20; step++) {
                    losses.add(loss(tiny, Precision.BF16));
                    assertThat(optimizerStep.run()).isPositive();
                }
            }
            assertThat(losses.get(19)).isLessThan(losses.get(0) - 0.3);
            assertThat(tiny.manager.getManagedArrays()).hasSize(before);
        }
    }
}
