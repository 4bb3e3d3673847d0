package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LinesJobTest {
    @RegisterExtension
    static final LocalSpark SPARK = new LocalSpark(2);

    private static final int ROWS = 10;

    @TempDir
    Path temp;

    private TokenizeFixture fixture;
    private Path lines;

    @BeforeEach
    void write() throws IOException {
        fixture = new TokenizeFixture(temp);
        lines = temp.resolve("rows.jsonl");
        Files.writeString(
                lines,
                IntStream.range(0, ROWS)
                        .mapToObj(row -> "{\"class_id\": " + row % 2 + ", \"tokens\": " + tokens(row) + "}\n"
                                + (row == 4 ? "\n" : ""))
                        .collect(Collectors.joining()));
    }

    @Test
    void linesBecomeShardsAndLinesAgain() throws Exception {
        Recipe recipe = recipe("tokenize.jsonl", "true");
        JobResult result = run(recipe);
        assertThat(result.counts())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("images", 10L, "rows", 10L, "shards", 4L, "bad", 0L, "oriented", 0L));
        assertThat(fixture.rows(fixture.output))
                .containsExactlyElementsOf(IntStream.range(0, ROWS)
                        .mapToObj(row -> "rows.jsonl#" + row + " " + row % 2 + " 0 " + tokens(row))
                        .toList());
        assertThat(Files.readString(fixture.output.resolve("tokens.jsonl")))
                .isEqualTo(Files.readString(lines).replace(" ", "").replace("\n\n", "\n"));
        TokenManifest manifest = manifest();
        assertThat(manifest.tokenizerSha256()).isEmpty();
        assertThat(manifest.grid()).isEqualTo(4);
        assertThat(manifest.statistics().classCounts()).containsExactlyInAnyOrderEntriesOf(Map.of(0, 5L, 1, 5L));
        assertThat(run(recipe)).isEqualTo(result);
        assertThat(TokenizeJob.run(SPARK.context(recipe("tokenize.check", "true")))
                        .counts())
                .containsEntry("rows", 10L);
    }

    @Test
    void whatAnEarlierAttemptFinishedIsKept() throws Exception {
        run(recipe());
        Map<String, String> undisturbed = fixture.shards(fixture.output);
        String manifest =
                fixture.storage.sha256(fixture.output.resolve(Manifest.NAME).toString());
        Object kept = Files.getLastModifiedTime(fixture.output.resolve("part-000-00001.parquet"));
        for (String name : List.of(Manifest.NAME, "result.json", "part-000-00002.parquet")) {
            Files.delete(fixture.output.resolve(name));
        }
        run(recipe());
        assertThat(fixture.shards(fixture.output)).isEqualTo(undisturbed);
        assertThat(Files.getLastModifiedTime(fixture.output.resolve("part-000-00001.parquet")))
                .isEqualTo(kept);
        assertThat(fixture.storage.sha256(fixture.output.resolve(Manifest.NAME).toString()))
                .isEqualTo(manifest);
    }

    @Test
    void aTokenizerThatIsGivenIsRemembered() throws Exception {
        run(recipe("tokenize.tokenizer", fixture.tokenizer.toString()));
        assertThat(manifest().tokenizerSha256()).isEqualTo(fixture.storage.sha256(fixture.tokenizer.toString()));
        assertThat(manifest().canBeOf("another")).isFalse();
    }

    @Test
    void linesThatDoNotFitAreNamed() throws Exception {
        refused("{\"class_id\": 0, \"class_id\": 1, \"tokens\": " + tokens(0) + "}", "rows.jsonl, line 1: expected");
        refused("{\"class_id\": 2, \"tokens\": " + tokens(0) + "}", "rows.jsonl: row 0 has class 2, expected 0 to 1");
        refused("{\"class_id\": 1, \"tokens\": [1, 2]}", "rows.jsonl: row 0 has 2 tokens, expected 16");
        refused("\n \n", "it has no lines with content");
        assertFails(ExitCode.USAGE, () -> run(recipe("tokenize.class_map", "classes.txt")))
                .contains("the classes of its lines are ids");
        assertFails(ExitCode.USAGE, () -> run(recipe("tokenize.incremental", "true")))
                .startsWith("Cannot use --incremental for --input ");
    }

    private void refused(String content, String why) throws IOException {
        Files.writeString(lines, content);
        assertFails(ExitCode.DATA, () -> run(recipe())).contains(why);
    }

    private static List<Integer> tokens(int row) {
        return IntStream.range(0, 16).mapToObj(t -> (row * 5 + t) % 64).toList();
    }

    private Recipe recipe(String... more) {
        Recipe recipe = fixture.recipe("tokenize.input", lines.toString(), "tokenize.tokenizer", "");
        for (int i = 0; i < more.length; i += 2) {
            recipe = recipe.with(Map.of(more[i], more[i + 1]));
        }
        return recipe;
    }

    private TokenManifest manifest() throws IOException {
        return Manifest.read(fixture.storage, fixture.output.toString(), TokenManifest.class);
    }

    private static JobResult run(Recipe recipe) throws IOException {
        return TokenizeJob.run(JobContext.of(SPARK.session(), recipe, true));
    }
}
