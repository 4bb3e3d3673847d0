package io.github.rarspark.generate;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.conf.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A device on which the archive of all images does not fit is refused before the first image is made. */
@Tag("fault")
class SpaceTest {
    /** 192 bytes each, 3.84 MB together. */
    private static final int IMAGES = 20_000;

    private static final String REFUSAL = ": it takes 3.8 MB or more, and 2.1 MB are free there";

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    @TempDir
    private Path folder;

    @Test
    void generate() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder, 2 << 20)) {
            Path output = disk.path().resolve("out");
            Map<String, String> settings = Map.of("generate.count", Integer.toString(IMAGES));
            Recipe recipe = TinyModels.write(folder).recipe(output, settings);
            assertFails(ExitCode.UNAVAILABLE, () -> GenerateJob.run(SPARK.context(recipe)))
                    .contains(output + REFUSAL);
            assertThat(output.resolve("shard-00000-of-01667.parquet")).doesNotExist();
        }
    }

    @Test
    void decode() throws Exception {
        Path tokens = folder.resolve("tokens.jsonl");
        String row = "{\"class_id\": 1, \"tokens\": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}";
        Files.write(tokens, Collections.nCopies(IMAGES, row));
        try (SmallDisk disk = SmallDisk.mount(folder, 2 << 20)) {
            TinyModels models = TinyModels.write(folder);
            Path output = disk.path().resolve("out");
            Map<String, String> settings = Map.of(
                    "decode.tokens", tokens.toString(),
                    "decode.tokenizer", models.tokenizer().toString(),
                    "decode.output", output.toString());
            Recipe recipe = models.recipe(folder.resolve("unused"), settings);
            assertFails(ExitCode.UNAVAILABLE, () -> DecodeJob.run(SPARK.context(recipe)))
                    .contains(output + REFUSAL);
        }
    }
}
