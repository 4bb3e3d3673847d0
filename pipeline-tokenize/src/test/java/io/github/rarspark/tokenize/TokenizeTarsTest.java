package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.Tars;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.PngEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TokenizeTarsTest {
    @RegisterExtension
    static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    Path temp;

    private TokenizeFixture fixture;

    @BeforeEach
    void prepare() throws Exception {
        fixture = new TokenizeFixture(temp);
    }

    @Test
    void tarsAndAFolderOfTheSameImagesGiveTheSameRows() throws Exception {
        Path map = temp.resolve("classes.txt");
        Files.writeString(map, "pear a pear\napple an apple\n");
        JobResult ofFolder = run(fixture.recipe("tokenize.class_map", map.toString()));
        Path tars = temp.resolve("tars");
        Files.createDirectories(tars);
        for (int shard = 0; shard < 3; shard++) {
            Tars tar = new Tars();
            for (int i = 4 * shard; i < Math.min(4 * shard + 4, TokenizeFixture.IMAGES); i++) {
                String key = String.format(Locale.ROOT, "%s/%02d", i < 4 ? "apple" : "pear", i);
                tar.add(key + ".png", PngEncoder.encode(TokenizeFixture.image(i)));
                if (i % 2 == 0) {
                    tar.add(key + ".cls", i < 4 ? "apple" : "0");
                } else {
                    tar.add(key + ".json", "{\"label\": " + (i < 4 ? "1" : "\"pear\"") + ", \"width\": 20}");
                }
            }
            Files.write(tars.resolve(shard + ".tar"), tar.bytes());
        }
        Path output = temp.resolve("of-tars");
        Recipe recipe = fixture.recipe(
                "tokenize.class_map",
                map.toString(),
                "tokenize.input",
                tars.toString(),
                "tokenize.output",
                output + "");
        JobResult ofTars = run(recipe);
        assertThat(fixture.rows(output))
                .hasSize(20)
                .containsExactlyElementsOf(fixture.rows(fixture.output).stream()
                        .map(row -> tarOf(row) + "/" + row)
                        .toList());
        assertThat(fixture.rows(output)).first().asString().startsWith("0.tar/apple/00.png 1 0 ");
        assertThat(ofTars.counts())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("images", 10L, "rows", 20L, "shards", 1L, "bad", 0L, "oriented", 0L));
        assertThat(ofFolder.counts()).containsEntry("images", 10L);
        for (Path directory : List.of(fixture.output, output)) {
            TokenManifest manifest = Manifest.read(fixture.storage, directory.toString(), TokenManifest.class);
            assertThat(manifest.classNames()).containsExactly("a pear", "an apple");
            assertThat(manifest.images()).isEqualTo(10);
        }
        Files.writeString(map, "apple\npear\n");
        assertFails(ExitCode.OUTPUT_EXISTS, () -> run(recipe)).contains("the input 'input' differs");
    }

    /** Four images a tar. */
    private static String tarOf(String row) {
        return Integer.parseInt(row.replaceAll("^\\w+/(\\d+)\\.png.*", "$1")) / 4 + ".tar";
    }

    private JobResult run(Recipe recipe) throws Exception {
        return TokenizeJob.run(SPARK.context(recipe));
    }
}
