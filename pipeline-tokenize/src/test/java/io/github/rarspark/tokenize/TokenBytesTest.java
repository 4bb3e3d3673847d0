package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.tokens.TokenManifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The bytes of shards are a function of images, tokenizer and crops. */
@Timeout(120)
class TokenBytesTest {
    @TempDir
    Path temp;

    private TokenizeFixture fixture;

    @BeforeEach
    void prepare() throws IOException {
        fixture = new TokenizeFixture(temp);
    }

    @Test
    void theyDependOnTokenizerAndCropsButNotOnTasksBatchAndThreads() throws Exception {
        Path other = TokenizeFixture.writeTokenizer(temp.resolve("other.safetensors"), 2, TokenizeFixture.CONFIG);
        Path one = run("one", 1, "tokenize.batch", "1");
        Path three = run("three", 3, "tokenize.batch", "7", "tokenize.decode_threads", "4");
        Path eight = run("eight", 8, "tokenize.batch", "32", "tokenize.threads", "2");
        Path retrained = run("retrained", 2, "tokenize.tokenizer", other.toString());
        Path ten = run("ten", 2, "image.crops", "ten-crop");

        assertThat(fixture.shards(one))
                .hasSize(4)
                .isEqualTo(fixture.shards(three))
                .isEqualTo(fixture.shards(eight));
        assertThat(one.resolve(Manifest.NAME))
                .hasSameTextualContentAs(three.resolve(Manifest.NAME))
                .hasSameTextualContentAs(eight.resolve(Manifest.NAME));
        assertThat(fixture.shards(retrained).values())
                .doesNotContainAnyElementsOf(fixture.shards(one).values());
        assertThat(fixture.shards(ten).values())
                .doesNotContainAnyElementsOf(fixture.shards(one).values());
        assertThat(tokens(fixture.rows(retrained))).isNotEqualTo(tokens(fixture.rows(one)));
        List<String> tenRows = fixture.rows(ten);
        assertThat(tenRows).hasSize(100);
        assertThat(tenRows.get(19)).startsWith("apple/01.png 0 9 [");
    }

    @Test
    void aPlanOfAnEarlierVersionThatFixedBatchAndThreadsIsContinued() throws Exception {
        Plan now = TokenizePlan.of(
                        fixture.recipe(),
                        NewFiles.all(ImageSources.open(fixture.storage, "--input", fixture.input.toString())),
                        TokenizerFile.inspect(fixture.storage, fixture.tokenizer.toString()),
                        JobDevice.CPU)
                .plan();
        SortedMap<String, String> settings = new TreeMap<>(now.settings());
        settings.put("tokenize.batch", "4");
        settings.put("tokenize.threads", "1");
        Plan earlier = Plan.of(
                now.command(), settings, now.inputs(), Map.of("shard_images", "5", "batch", "4", "threads", "1"));
        Claims.claim(fixture.storage, fixture.output.toString(), earlier).close();
        Path output = run(fixture.output.getFileName().toString(), 1, "tokenize.batch", "3");
        TokenManifest manifest = Manifest.read(fixture.storage, output.toString(), TokenManifest.class);
        assertThat(manifest.planSha256()).isEqualTo(earlier.sha256());
        assertThat(manifest.shards()).hasSize(2);
    }

    /** The output {@code name} of a run of {@code cores} tasks at a time. */
    private Path run(String name, int cores, String... settings) throws IOException {
        Path output = temp.resolve(name);
        try (SparkSession session = LocalSpark.start(cores)) {
            JobResult result = TokenizeJob.run(JobContext.of(
                    session, fixture.recipe(settings).with(Map.of("tokenize.output", output.toString())), true));
            assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        }
        return output;
    }

    private static List<String> tokens(List<String> rows) {
        return rows.stream().map(row -> row.substring(row.indexOf('['))).toList();
    }
}
