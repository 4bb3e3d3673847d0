package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The job with the images of the golden crops and the golden tokenizer. The golden tokens are those of pixels between bytes,
 * which no image file holds, so that what the job uses to encode is compared with them, and its rows with that.
 */
@Timeout(120)
class GoldenTokensTest {
    private static final Path GOLDEN = Path.of("../model-kernel/src/test/resources/golden");
    private static final Path WEIGHTS = GOLDEN.resolve("vqgan-small/vqgan.bin").toAbsolutePath();
    private static final int SIZE = 64;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    private Path folder;

    @Test
    void rowsAreTheGoldenTokenizersTokensOfTheGoldenCrops() throws Exception {
        TensorFile crops = TensorFile.open(GOLDEN.resolve("crops/crops.safetensors"));
        Path input = Files.createDirectories(folder.resolve("images/all"));
        List<String> images;
        try (Stream<Path> files = Files.list(GOLDEN.resolve("crops"))) {
            images = files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.endsWith(".safetensors"))
                    .sorted()
                    .toList();
        }
        for (String image : images) {
            Files.copy(GOLDEN.resolve("crops").resolve(image), input.resolve(image));
        }
        Path output = folder.resolve("tokens");
        Storage storage = new Storage(new Configuration());
        TokenizeJob.run(SPARK.context(recipe(input.getParent(), output)));

        List<TokenRow> rows = new ArrayList<>();
        RowCodec.Sink<TokenRow> sink = rows::add;
        TokenFormat.ROWS.read(storage, output.resolve("part-000-00000.parquet").toString(), sink);
        TokenizerFile tokenizer = TokenizerFile.inspect(storage, WEIGHTS.toString());
        try (WeightsCache.Lease<LoadedTokenizer> lease = tokenizer.lease(storage, Device.cpu())) {
            Vqgan vqgan = lease.value().vqgan();
            assertGoldenTokens(vqgan);
            assertThat(rows).hasSize(10 * images.size()).hasSize(110);
            for (int i = 0; i < images.size(); i++) {
                long[] bytes = crops.longs(images.get(i) + "/ten_crop");
                int length = bytes.length / 10;
                for (int crop = 0; crop < 10; crop++) {
                    TokenRow row = rows.get(10 * i + crop);
                    assertThat(row.sampleId()).isEqualTo("all/" + images.get(i));
                    assertThat(row.crop()).isEqualTo(crop);
                    assertThat(row.tokens())
                            .as(images.get(i) + " " + crop)
                            .containsExactly(
                                    encode(vqgan, Arrays.copyOfRange(bytes, crop * length, (crop + 1) * length)));
                }
            }
        }
        assertThat(rows.stream()
                        .flatMapToLong(row -> Arrays.stream(row.tokens()))
                        .distinct())
                .hasSizeGreaterThan(20);
    }

    private static void assertGoldenTokens(Vqgan vqgan) throws IOException {
        TensorFile golden = TensorFile.open(GOLDEN.resolve("vqgan-small/vqgan.safetensors"));
        try (TensorScope s = TensorScope.inference(vqgan.weights().manager())) {
            NDArray pixels =
                    s.floats(golden.floats("pixels"), golden.shape("pixels").getShape());
            assertThat(vqgan.encode(s, pixels).toLongArray()).containsExactly(golden.longs("tokens"));
        }
    }

    /** The tokens of a crop [H, W, 3]. */
    private static long[] encode(Vqgan vqgan, long[] bytes) {
        float[] floats = new float[bytes.length];
        int plane = SIZE * SIZE;
        for (int i = 0; i < bytes.length; i++) {
            floats[i % 3 * plane + i / 3] = bytes[i] / 255f;
        }
        try (TensorScope s = TensorScope.inference(vqgan.weights().manager())) {
            return vqgan.encode(s, s.floats(floats, 1, 3, SIZE, SIZE)).toLongArray();
        }
    }

    private static Recipe recipe(Path input, Path output) {
        return Recipes.load("demo")
                .with(Map.of(
                        "image.size", Integer.toString(SIZE),
                        "image.crops", "ten-crop",
                        "tokenizer.channel_mult", "1,1,2",
                        "tokenizer.z_channels", "16",
                        "tokenizer.codes", "64",
                        "model.tokens", "256",
                        "model.classes", "1",
                        "model.codes", "64"))
                .with(Map.of(
                        "tokenize.input", input.toString(),
                        "tokenize.tokenizer", WEIGHTS.toString(),
                        "tokenize.output", output.toString()));
    }
}
