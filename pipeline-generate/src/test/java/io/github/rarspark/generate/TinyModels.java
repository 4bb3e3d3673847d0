package io.github.rarspark.generate;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Weight files of models that generate 8 x 8 pixels within milliseconds, and the recipe that they fit. */
record TinyModels(Path weights, Path tokenizer) {
    static final int CODES = 16;

    static TinyModels write(Path folder) throws IOException {
        Path weights = writeModel(folder.resolve("model.safetensors"), Map.of());
        return new TinyModels(weights, writeTokenizer(folder.resolve("tokenizer.safetensors"), CODES));
    }

    static Path writeModel(Path path, Map<String, String> metadata) throws IOException {
        write(path, metadata, KernelSettings.rar(shape(Map.of()).model()).parameters());
        return path;
    }

    /** A model whose parameter of this name begins with the given value. */
    static Path writeModelWith(Path path, String name, float first) throws IOException {
        write(path, Map.of(), KernelSettings.rar(shape(Map.of()).model()).parameters(), spec -> {
            float[] values = values(spec);
            if (spec.name().equals(name)) {
                values[0] = first;
            }
            return values;
        });
        return path;
    }

    /** A model of another variant, which the settings say. */
    TinyModels variant(Path path, Map<String, String> settings) throws IOException {
        write(path, Map.of(), KernelSettings.rar(shape(settings).model()).parameters());
        return new TinyModels(path, tokenizer);
    }

    static Path writeTokenizer(Path path, int codes) throws IOException {
        write(path, Map.of(), new VqganConfig(32, List.of(1, 1), 1, 8, codes).table());
        return path;
    }

    /** A recipe that generates with these files. */
    Recipe recipe(Path output, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.put("generate.weights", weights.toUri().toString());
        values.put("generate.tokenizer", tokenizer.toUri().toString());
        values.put("generate.output", output.toUri().toString());
        return shape(values);
    }

    private static Recipe shape(Map<String, String> more) {
        Map<String, String> values = new HashMap<>(Map.ofEntries(
                Map.entry("image.size", "8"),
                Map.entry("tokenizer.hidden_channels", "32"),
                Map.entry("tokenizer.channel_mult", "1,1"),
                Map.entry("tokenizer.res_blocks", "1"),
                Map.entry("tokenizer.z_channels", "8"),
                Map.entry("tokenizer.codes", Integer.toString(CODES)),
                Map.entry("model.hidden", "16"),
                Map.entry("model.layers", "2"),
                Map.entry("model.heads", "2"),
                Map.entry("model.mlp", "32"),
                Map.entry("model.tokens", "16"),
                Map.entry("model.codes", Integer.toString(CODES)),
                Map.entry("model.classes", "3"),
                Map.entry("generate.count", "28"),
                Map.entry("generate.batch", "4"),
                Map.entry("generate.shard_images", "12"),
                Map.entry("generate.guidance_scale", "2")));
        values.putAll(more);
        return Recipe.resolve(new Layer("the test", values));
    }

    private static void write(Path path, Map<String, String> metadata, ParameterTable table) throws IOException {
        write(path, metadata, table, TinyModels::values);
    }

    private static void write(
            Path path, Map<String, String> metadata, ParameterTable table, Function<ParameterSpec, float[]> values)
            throws IOException {
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.create(table, manager, values);
                OutputStream out = Files.newOutputStream(path)) {
            Safetensors.write(out, metadata, tensors.asMap());
        }
    }

    /** Large enough that tokens depend on everything; a model's own first weights are too regular for that. */
    private static float[] values(ParameterSpec spec) {
        RandomStream random = RandomStream.of(1, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
        float[] values = new float[Math.toIntExact(spec.shape().size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.2 * random.nextGaussian());
        }
        return values;
    }
}
