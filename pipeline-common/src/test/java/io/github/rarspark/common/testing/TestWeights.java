package io.github.rarspark.common.testing;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/** Weight files of models that nobody has trained. */
public final class TestWeights {
    private TestWeights() {}

    /** Writes a model's own first weights. */
    public static Path write(Path path, Map<String, String> metadata, ParameterTable table) throws IOException {
        return write(path, metadata, table, spec -> initial(spec, 0));
    }

    /** Writes a model whose parameters have these values, row-major. */
    public static Path write(
            Path path, Map<String, String> metadata, ParameterTable table, Function<ParameterSpec, float[]> values)
            throws IOException {
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.create(table, manager, values);
                OutputStream out = Files.newOutputStream(path)) {
            Safetensors.write(out, metadata, tensors.asMap());
        }
        return path;
    }

    /** A parameter's own first values. */
    public static float[] initial(ParameterSpec spec, long seed) {
        return spec.init().draw(Math.toIntExact(spec.shape().size()), random(spec, seed));
    }

    /**
     * Normally distributed values of this deviation. With 0.2 the tokens of a tiny model depend on everything; its own first
     * weights are too regular for that.
     */
    public static Function<ParameterSpec, float[]> gaussian(double deviation) {
        return spec -> {
            RandomStream random = random(spec, 1);
            float[] values = new float[Math.toIntExact(spec.shape().size())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (deviation * random.nextGaussian());
            }
            return values;
        };
    }

    /** The stream that a parameter's values are drawn from. */
    public static RandomStream random(ParameterSpec spec, long seed) {
        return RandomStream.of(seed, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
    }
}
