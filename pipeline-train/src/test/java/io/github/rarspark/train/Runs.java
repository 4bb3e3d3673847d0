package io.github.rarspark.train;

import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Tiny training runs: 16 tokens of 32 codes, 4 classes, a model of 2 blocks. */
final class Runs {
    static final int TOKENS = 16;
    static final int CODES = 32;
    static final int CLASSES = 4;
    static final int SAMPLES = 50;

    private Runs() {}

    /** Samples whose tokens depend on their class, i modulo 4 for sample i, with some noise: there is something to learn. */
    static String tokens(Path folder) throws IOException {
        Path file = folder.resolve("tokens.jsonl");
        String lines = IntStream.range(0, SAMPLES)
                .mapToObj(i -> {
                    RandomStream random = RandomStream.of(1, Purpose.SPLIT, i);
                    String tokens = IntStream.range(0, TOKENS)
                            .map(t -> (i % CLASSES * 7 + t + random.nextInt(3)) % CODES)
                            .mapToObj(Integer::toString)
                            .collect(Collectors.joining(", "));
                    return "{\"class_id\": " + i % CLASSES + ", \"tokens\": [" + tokens + "]}\n";
                })
                .collect(Collectors.joining());
        Files.writeString(file, lines);
        return file.toUri().toString();
    }

    /** A recipe of 12 steps of 12 samples, with dropout, permutations and dropped classes. */
    static Recipe recipe(String tokens, Path output, String... keysAndValues) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("image.size", "8");
        values.put("tokenizer.channel_mult", "1,1");
        values.put("tokenizer.codes", Integer.toString(CODES));
        values.put("model.codes", Integer.toString(CODES));
        values.put("model.tokens", Integer.toString(TOKENS));
        values.put("model.classes", Integer.toString(CLASSES));
        values.put("model.hidden", "32");
        values.put("model.layers", "2");
        values.put("model.heads", "4");
        values.put("model.mlp", "64");
        values.put("train.tokens", tokens);
        values.put("train.output", output.toUri().toString());
        values.put("train.ranks", "2");
        values.put("train.batch", "12");
        values.put("train.steps", "12");
        values.put("train.warmup_steps", "2");
        values.put("train.lr", "0.003");
        values.put("train.anneal_start", "4");
        values.put("train.anneal_end", "8");
        values.put("train.precision", "fp32");
        values.put("train.checkpoint_every", "4");
        values.put("train.log_every", "1");
        values.put("train.timeout_seconds", "60");
        for (int i = 0; i < keysAndValues.length; i += 2) {
            values.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return Recipe.resolve(new Layer("the test", values));
    }

    /** Weights of a tokenizer of these images. */
    static Path tokenizer(Path path, int codes) throws IOException {
        VqganConfig config = new VqganConfig(32, List.of(1, 1), 1, 4, codes);
        return TestWeights.write(path, config.metadata(), config.table());
    }

    static byte[] model(Path output) throws IOException {
        return Files.readAllBytes(output.resolve(Checkpoints.MODEL));
    }
}
