package io.github.rarspark.kernel.optim;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class MovingAverageTest {
    @Test
    void eachUpdateTakesInAShareOfTheParameters() {
        ParameterTable table = new ParameterTable(List.of(new ParameterSpec("weight", new Shape(2), Init.ones())));
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors weights = NamedTensors.initial(table, 0, manager);
                MovingAverage average = new MovingAverage(manager, weights, 0.75)) {
            TensorScope.requireGradients(weights.asMap().values());
            assertThat(values(average)).containsExactly(1, 1);
            set(weights, 5, -3);
            assertThat(values(average)).as("memory of its own").containsExactly(1, 1);
            average.update();
            assertThat(values(average)).containsExactly(2, 0);
            average.update();
            assertThat(values(average)).containsExactly(2.75f, -0.75f);
            assertThat(weights.get("weight").toFloatArray()).containsExactly(5, -3);
        }
    }

    private static float[] values(MovingAverage average) {
        return average.averages().get("weight").toFloatArray();
    }

    private static void set(NamedTensors weights, float... values) {
        try (TensorScope s = TensorScope.inference(weights.manager())) {
            s.copy(weights.get("weight"), s.floats(values, values.length));
        }
    }
}
