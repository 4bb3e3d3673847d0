package io.github.rarspark.tokenize;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetReader;

/** A small tokenizer (16 pixels, 4 x 4 tokens, 64 codes), ten small images of two classes, and a recipe for them. */
final class TokenizeFixture {
    static final int SIZE = 16;
    static final int IMAGES = 10;
    static final VqganConfig CONFIG = new VqganConfig(32, List.of(1, 1, 1), 1, 8, 64);

    final Storage storage = new Storage(new Configuration());
    final Path input;
    final Path tokenizer;
    final Path output;

    TokenizeFixture(Path directory) throws IOException {
        input = directory.resolve("images");
        tokenizer = writeTokenizer(directory.resolve("tokenizer.safetensors"), 1, CONFIG);
        output = directory.resolve("tokens");
        for (int i = 0; i < IMAGES; i++) {
            String name = String.format(Locale.ROOT, "%s/%02d.png", i < 4 ? "apple" : "pear", i);
            Files.createDirectories(input.resolve(name).getParent());
            Files.write(input.resolve(name), PngEncoder.encode(image(i)));
        }
    }

    /** Three images a shard, four crops a batch; {@code values} are keys and values in turn. */
    Recipe recipe(String... values) {
        Map<String, String> all = new HashMap<>(Map.of(
                "image.size", Integer.toString(SIZE),
                "tokenizer.channel_mult", "1,1,1",
                "tokenizer.z_channels", "8",
                "tokenizer.codes", "64",
                "model.tokens", "16",
                "model.classes", "2",
                "model.codes", "64"));
        all.putAll(Map.of(
                "tokenize.shard_images", "3",
                "tokenize.batch", "4",
                "tokenize.input", input.toString(),
                "tokenize.tokenizer", tokenizer.toString(),
                "tokenize.output", output.toString()));
        for (int i = 0; i < values.length; i += 2) {
            all.put(values[i], values[i + 1]);
        }
        return Recipes.load("demo").with(all);
    }

    /** The warnings but for what is true of this tokenizer: it is not trained. */
    static List<String> warnings(JobResult result) {
        return result.warnings().stream()
                .filter(warning -> !warning.contains("has a PSNR of"))
                .toList();
    }

    /** The names of the shards of {@code output} with the hashes of their bytes. */
    Map<String, String> shards(Path output) throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        for (String name : storage.list(output.toString())) {
            if (name.endsWith(".parquet")) {
                hashes.put(name, storage.sha256(output.resolve(name).toString()));
            }
        }
        return hashes;
    }

    /** All rows as text, in the order of the shards. */
    List<String> rows(Path output) throws IOException {
        List<String> rows = new ArrayList<>();
        for (String name : shards(output).keySet()) {
            try (ParquetReader<GenericRecord> reader =
                    ParquetShard.read(storage, Storage.child(output.toString(), name))) {
                for (GenericRecord row = reader.read(); row != null; row = reader.read()) {
                    rows.add(row.get("sample_id") + " " + row.get("class_id") + " " + row.get("crop") + " "
                            + row.get("tokens"));
                }
            }
        }
        return rows;
    }

    /** A weight file with values drawn widely enough that many codes are used. */
    static Path writeTokenizer(Path path, long seed, VqganConfig config) throws IOException {
        return TestWeights.write(path, config.metadata(), config.table(), spec -> values(spec, seed));
    }

    private static float[] values(ParameterSpec spec, long seed) {
        float[] values = TestWeights.initial(spec, seed);
        if (spec.name().startsWith("quantize")) {
            for (int i = 0; i < values.length; i++) {
                values[i] *= 32;
            }
        }
        return values;
    }

    /** Image {@code i}: a gradient with a checkerboard, not square. */
    static RgbImage image(int i) {
        int width = 20 + i;
        int height = 24;
        byte[] pixels = new byte[width * height * RgbImage.CHANNELS];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = (y * width + x) * RgbImage.CHANNELS;
                pixels[at] = (byte) (x * 12 + i * 20);
                pixels[at + 1] = (byte) ((x / 4 + y / 4) % 2 * 200);
                pixels[at + 2] = (byte) (y * 10 * (i % 3));
            }
        }
        return new RgbImage(width, height, pixels);
    }
}
