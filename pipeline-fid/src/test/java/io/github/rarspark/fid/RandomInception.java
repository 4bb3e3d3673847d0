package io.github.rarspark.fid;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The weight file of an untrained Inception network whose activations keep their size from layer to layer. */
final class RandomInception {
    private RandomInception() {}

    static Path write(Path path) throws IOException {
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.create(InceptionV3.table(), manager, RandomInception::values);
                OutputStream out = Files.newOutputStream(path)) {
            Safetensors.write(out, Map.of(), tensors.asMap());
        }
        return path;
    }

    private static float[] values(ParameterSpec spec) {
        RandomStream random = RandomStream.of(0, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
        Shape shape = spec.shape();
        float[] values = spec.init().draw((int) shape.size(), random);
        if (spec.name().endsWith(".conv.weight")) {
            // From a variance of 1/(3 fan-in) to He's 2/fan-in.
            for (int i = 0; i < values.length; i++) {
                values[i] *= (float) Math.sqrt(6);
            }
        }
        return values;
    }
}
