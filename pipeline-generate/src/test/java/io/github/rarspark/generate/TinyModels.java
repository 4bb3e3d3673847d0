package io.github.rarspark.generate;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Weight files of models that generate 8 x 8 pixels within milliseconds, and the recipe that they fit. */
record TinyModels(Path weights, Path tokenizer) {
    static final int CODES = 16;

    static TinyModels write(Path folder) throws IOException {
        Path weights = writeModel(folder.resolve("model.safetensors"), Map.of());
        return new TinyModels(weights, writeTokenizer(folder.resolve("tokenizer.safetensors"), CODES));
    }

    static Path writeModel(Path path, Map<String, String> metadata) throws IOException {
        return TestWeights.write(path, metadata, parameters(Map.of()), TestWeights.gaussian(0.2));
    }

    /** A model whose parameter of this name begins with the given value. */
    static Path writeModelWith(Path path, String name, float first) throws IOException {
        return TestWeights.write(path, Map.of(), parameters(Map.of()), spec -> {
            float[] values = TestWeights.gaussian(0.2).apply(spec);
            if (spec.name().equals(name)) {
                values[0] = first;
            }
            return values;
        });
    }

    /** A model of another variant, which the settings say. */
    TinyModels variant(Path path, Map<String, String> settings) throws IOException {
        return new TinyModels(
                TestWeights.write(path, Map.of(), parameters(settings), TestWeights.gaussian(0.2)), tokenizer);
    }

    static Path writeTokenizer(Path path, int codes) throws IOException {
        ParameterTable table = new VqganConfig(32, List.of(1, 1), 1, 8, codes).table();
        return TestWeights.write(path, Map.of(), table, TestWeights.gaussian(0.2));
    }

    /** A recipe that generates with these files. */
    Recipe recipe(Path output, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.put("generate.weights", weights.toUri().toString());
        values.put("generate.tokenizer", tokenizer.toUri().toString());
        values.put("generate.output", output.toUri().toString());
        return shape(values);
    }

    private static ParameterTable parameters(Map<String, String> settings) {
        return KernelSettings.rar(shape(settings).model()).parameters();
    }

    private static Recipe shape(Map<String, String> more) {
        Map<String, String> values = Map.ofEntries(
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
                Map.entry("generate.guidance_scale", "2"));
        return Recipe.resolve(new Layer("the test", more), new Layer("the models", values));
    }
}
