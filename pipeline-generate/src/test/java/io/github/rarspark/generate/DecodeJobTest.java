package io.github.rarspark.generate;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TokenTable;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenLines;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.common.tokens.TokenSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that are kept beside generated images, and what they are decoded to. */
class DecodeJobTest {
    private static final TokenShape SHAPE = new TokenShape(16, TinyModels.CODES, 3);

    @TempDir
    private static Path models;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    private static TinyModels tiny;

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @BeforeAll
    static void write() throws IOException {
        tiny = TinyModels.write(models);
    }

    @Test
    void keptTokensAreDecodedToTheImagesThatWereGenerated() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        List<Sample> generated = samples("run");
        JobResult result = decode("decoded", folder.resolve("run/tokens"), Map.of("decode.shard_images", "10"));
        assertThat(result.command()).isEqualTo("decode");
        assertThat(result.counts()).containsEntry("images", 28L).containsEntry("shards", 3L);
        assertThat(manifest("decoded").classes()).isEmpty();
        List<Sample> decoded = samples("decoded");
        assertThat(decoded).hasSameSizeAs(generated);
        for (int i = 0; i < generated.size(); i++) {
            assertThat(decoded.get(i).index()).isEqualTo(i);
            assertThat(decoded.get(i).classId()).isEqualTo(generated.get(i).classId());
            assertThat(decoded.get(i).png())
                    .as("image %d", i)
                    .isEqualTo(generated.get(i).png());
        }
        for (String file : List.of("samples.npz", "grid.png")) {
            assertThat(folder.resolve("decoded/" + file)).exists();
        }
        assertThat(folder.resolve("decoded/samples.npz")).hasSameBinaryContentAs(folder.resolve("run/samples.npz"));
        assertThat(decode("decoded", folder.resolve("run/tokens"), Map.of("decode.shard_images", "10")))
                .isEqualTo(result);
    }

    @Test
    void keptTokensAreReadAsThoseOfTokenize() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        String tokens = folder.resolve("run/tokens").toString();
        TokenSource source = TokenSource.open(storage, "--tokens", tokens, SHAPE);
        TokenTable table = TokenTable.of(source);
        assertThat(table.rows()).isEqualTo(28);
        assertThat(table.classId(4)).isEqualTo(1);
        assertThat(TokenShards.open(storage, tokens).manifest().grid()).isEqualTo(4);

        String lines = folder.resolve("rows.jsonl").toString();
        storage.put(lines, TokenLines.writer(source));
        decode("of-lines", Path.of(lines), Map.of());
        assertThat(folder.resolve("of-lines/samples.npz")).hasSameBinaryContentAs(folder.resolve("run/samples.npz"));
        JobResult few = decode("few", Path.of(lines), Map.of("decode.count", "5"));
        assertThat(folder.resolve("few/png")).doesNotExist();
        assertThat(decode("few", Path.of(lines), Map.of("decode.count", "5", "decode.png", "true")))
                .as("the finished run with the files added")
                .isEqualTo(few);
        for (Sample sample : samples("few")) {
            assertThat(folder.resolve("few/png").resolve(PngFolder.fileName(sample)))
                    .hasBinaryContent(sample.png());
        }
        assertThat(few.counts()).containsEntry("images", 5L);
        assertThat(samples("few")).extracting(Sample::classId).containsExactly(0, 1, 2, 0, 1);
    }

    @Test
    void tokensOfAnInterruptedRunAreCompletedWithItsShards() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        Path output = folder.resolve("run");
        String whole = Manifest.sha256(storage, output.resolve("tokens").toString());
        Files.delete(output.resolve("tokens").resolve(TokenFormat.shardName(0, 1)));
        Files.delete(output.resolve(manifest("run").shards().get(1).name()));
        for (String last : List.of("tokens/" + Manifest.NAME, Manifest.NAME, JobResult.NAME)) {
            Files.delete(output.resolve(last));
        }
        JobResult result = generate("run", Map.of("generate.tokens", "true"));
        assertThat(result.counts()).containsEntry("images_resumed", 16L);
        assertThat(Manifest.sha256(storage, output.resolve("tokens").toString()))
                .isEqualTo(whole);
    }

    @Test
    void damagedTokensOfAFinishedShardAreMadeAgain() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        Path output = folder.resolve("run");
        String whole = Manifest.sha256(storage, output.resolve("tokens").toString());
        Files.writeString(output.resolve("tokens").resolve(TokenFormat.shardName(0, 1)), "damaged");
        for (String last : List.of("tokens/" + Manifest.NAME, Manifest.NAME, JobResult.NAME)) {
            Files.delete(output.resolve(last));
        }
        JobResult result = generate("run", Map.of("generate.tokens", "true"));
        assertThat(result.counts()).containsEntry("images_resumed", 16L);
        assertThat(Manifest.sha256(storage, output.resolve("tokens").toString()))
                .isEqualTo(whole);
    }

    @Test
    void withoutTheOptionThereAreNoTokens() throws IOException {
        generate("run", Map.of());
        assertThat(folder.resolve("run/tokens")).doesNotExist();
    }

    @Test
    void tokensOfAnotherTokenizerAreRefused() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        Path fewer = TinyModels.writeTokenizer(folder.resolve("fewer.safetensors"), TinyModels.CODES / 2);
        assertFails(
                        ExitCode.DATA,
                        () -> decode("no", folder.resolve("run/tokens"), Map.of("decode.tokenizer", fewer.toString())))
                .contains(TinyModels.CODES / 2 + " codes")
                .contains("use the recipe that it was trained with");
        assertFails(ExitCode.DATA, () -> decode("no", folder.resolve("run"), Map.of()))
                .contains("is in the folder tokens of its output");
        assertThat(folder.resolve("no")).doesNotExist();
    }

    @Test
    void sparkReadsShardsByTheirNames() throws IOException {
        generate("run", Map.of("generate.tokens", "true"));
        String output = folder.resolve("run").toString();
        List<Row> images = SPARK.session()
                .read()
                .parquet(output + "/*.parquet")
                .orderBy("index")
                .collectAsList();
        assertThat(images).hasSize(28);
        assertThat(images.get(4).<Integer>getAs("class_id")).isEqualTo(1);
        assertThat(images.get(4).<byte[]>getAs("png"))
                .isEqualTo(samples("run").get(4).png());
        List<Row> tokens = SPARK.session()
                .read()
                .parquet(output + "/tokens/*.parquet")
                .where("sample_id = '4'")
                .collectAsList();
        long[] expected = new long[16];
        TokenTable.of(TokenSource.open(storage, "--tokens", output + "/tokens", SHAPE))
                .copyTokens(4, expected, 0);
        List<Long> actual = tokens.get(0).<Short>getList(tokens.get(0).fieldIndex("tokens")).stream()
                .map(Short::longValue)
                .toList();
        assertThat(actual).containsExactly(Arrays.stream(expected).boxed().toArray(Long[]::new));
    }

    private JobResult generate(String output, Map<String, String> more) throws IOException {
        return GenerateJob.run(SPARK.context(tiny.recipe(folder.resolve(output), more)));
    }

    private JobResult decode(String output, Path tokens, Map<String, String> more) throws IOException {
        Map<String, String> values = new HashMap<>(Map.of(
                "decode.tokens", tokens.toString(),
                "decode.tokenizer", tiny.tokenizer().toString(),
                "decode.output", folder.resolve(output).toString(),
                "decode.batch", "4"));
        values.putAll(more);
        return DecodeJob.run(SPARK.context(tiny.recipe(folder.resolve("unused"), values)));
    }

    private SamplesManifest manifest(String output) throws IOException {
        return SamplesManifest.read(storage, folder.resolve(output).toString());
    }

    private List<Sample> samples(String output) throws IOException {
        List<Sample> samples = new ArrayList<>();
        for (ShardReceipt shard : manifest(output).shards()) {
            SampleShard.ROWS.read(
                    storage, folder.resolve(output).resolve(shard.name()).toString(), samples::add);
        }
        return samples;
    }
}
