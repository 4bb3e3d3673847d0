package io.github.rarspark.fid;

import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.weights.ParameterSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The weight file of an untrained Inception network whose activations keep their size from layer to layer. */
final class RandomInception {
    private RandomInception() {}

    static Path write(Path path) throws IOException {
        return TestWeights.write(path, Map.of(), InceptionV3.table(), RandomInception::values);
    }

    private static float[] values(ParameterSpec spec) {
        float[] values = TestWeights.initial(spec, 0);
        if (spec.name().endsWith(".conv.weight")) {
            // From a variance of 1/(3 fan-in) to He's 2/fan-in.
            for (int i = 0; i < values.length; i++) {
                values[i] *= (float) Math.sqrt(6);
            }
        }
        return values;
    }
}
