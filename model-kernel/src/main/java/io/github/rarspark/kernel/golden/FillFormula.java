package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The weights of a golden case, computed instead of stored: element i of a tensor is {@code (float) (offset + scale *
 * (2 * u - 1))}, where u has the upper 24 bits of the i-th number of a splitmix64 counter that starts at the hash of
 * {@code "<seed>/<name>"}.
 *
 * @param seed the case's name
 * @param parameters the tensors, in their order
 */
public record FillFormula(String seed, Map<String, Parameter> parameters) {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    /**
     * A tensor that the formula fills.
     *
     * @param shape its sizes
     * @param offset the mean of its values
     * @param scale the largest deviation from the mean
     */
    public record Parameter(Shape shape, double offset, double scale) {}

    /**
     * Reads {@code seed} and {@code parameters} of a case's json.
     *
     * @param file what messages call the json
     * @throws DataException if they are missing or malformed
     */
    public static FillFormula parse(String json, String file) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new DataException("Cannot read " + file + ": it is not valid json: " + e.getOriginalMessage(), e);
        }
        if (!root.path("seed").isTextual() || !root.path("parameters").isObject()) {
            throw new DataException("Cannot read " + file + ": a golden case needs the text 'seed' and 'parameters'");
        }
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        root.get("parameters").fields().forEachRemaining(entry -> {
            JsonNode value = entry.getValue();
            if (!value.path("shape").isArray()
                    || !value.path("offset").isNumber()
                    || !value.path("scale").isNumber()) {
                throw new DataException("Cannot read " + file + ": parameter '" + entry.getKey()
                        + "' needs a shape, an offset and a scale");
            }
            long[] shape = new long[value.get("shape").size()];
            for (int i = 0; i < shape.length; i++) {
                shape[i] = value.get("shape").get(i).asLong();
            }
            parameters.put(
                    entry.getKey(),
                    new Parameter(
                            new Shape(shape),
                            value.get("offset").asDouble(),
                            value.get("scale").asDouble()));
        });
        return new FillFormula(root.get("seed").asText(), parameters);
    }

    /**
     * Weights for any model, scaled like those of golden cases: activations keep their magnitude from layer to layer,
     * and no tensor is zero.
     *
     * @param seed identifies the weights
     */
    public static FillFormula of(String seed, ParameterTable table) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        for (ParameterSpec spec : table.specs()) {
            boolean vector = spec.shape().dimension() == 1;
            double offset = vector && spec.name().endsWith("weight") ? 1 : 0;
            double scale = vector ? 0.1 : spec.name().matches(".*(embed|cls_token).*") ? 0.5 : fanInScale(spec.shape());
            parameters.put(spec.name(), new Parameter(spec.shape(), offset, scale));
        }
        return new FillFormula(seed, parameters);
    }

    /** Uniform numbers of this scale have the variance 1 / fan-in. */
    private static double fanInScale(Shape shape) {
        return (float) Math.sqrt(3.0 * shape.get(0) / shape.size());
    }

    /**
     * The case's weights for a model.
     *
     * @throws DataException if the case's parameters are not exactly the table's
     */
    public NamedTensors tensors(ParameterTable table, NDManager parent) {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        parameters.forEach(
                (name, parameter) -> infos.put(name, new TensorInfo(name, ElementType.F32, parameter.shape())));
        table.check("golden case " + seed, infos);
        return NamedTensors.create(table, parent, spec -> values(spec.name()));
    }

    /**
     * Compares the case's optional weight file, which holds the same tensors.
     *
     * @param path the file; no check is made if it does not exist
     * @throws DataException if it is malformed
     */
    Optional<Check> check(Path path) throws IOException {
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        TensorFile file = TensorFile.open(path);
        double error = file.names().equals(parameters.keySet()) ? 0 : Double.POSITIVE_INFINITY;
        for (Map.Entry<String, Parameter> parameter : parameters.entrySet()) {
            String name = parameter.getKey();
            boolean there = file.names().contains(name)
                    && file.shape(name).equals(parameter.getValue().shape());
            error = Math.max(error, there ? maxDifference(values(name), file.floats(name)) : Double.POSITIVE_INFINITY);
        }
        return Optional.of(Check.within(path.getFileName().toString(), error, 0));
    }

    private static double maxDifference(float[] a, float[] b) {
        double max = 0;
        for (int i = 0; i < a.length; i++) {
            max = Math.max(max, Math.abs((double) a[i] - b[i]));
        }
        return max;
    }

    /** The elements of one of the case's tensors, row-major. */
    public float[] values(String name) {
        Parameter parameter = parameters.get(name);
        long start = RandomStream.hash(seed + "/" + name);
        float[] values = new float[Math.toIntExact(parameter.shape().size())];
        for (int i = 0; i < values.length; i++) {
            double u = (RandomStream.mix(start + (i + 1) * GAMMA) >>> 40) * 0x1p-24;
            values[i] = (float) (parameter.offset() + parameter.scale() * (2 * u - 1));
        }
        return values;
    }
}
