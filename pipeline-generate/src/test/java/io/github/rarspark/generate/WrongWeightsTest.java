package io.github.rarspark.generate;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.LocalUri;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not the weights they were given as end the job in one line that says what they are. */
class WrongWeightsTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    private Path folder;

    private TinyModels tiny;

    @Test
    void swappedFilesAreNamed() throws IOException {
        tiny = TinyModels.write(folder);
        refused(
                new TinyModels(tiny.tokenizer(), tiny.weights()),
                ExitCode.DATA,
                "Cannot generate: --weights and --tokenizer are swapped: " + LocalUri.of(tiny.tokenizer())
                        + " is a MaskGIT-VQGAN tokenizer (16 codes of 8 values), and " + LocalUri.of(tiny.weights())
                        + " is a RAR generator (width 16,");
    }

    @Test
    void oneWrongFileIsNamed() throws IOException {
        tiny = TinyModels.write(folder);
        refused(
                new TinyModels(tiny.tokenizer(), tiny.tokenizer()),
                ExitCode.DATA,
                "Cannot use " + LocalUri.of(tiny.tokenizer())
                        + " as --weights: it is a MaskGIT-VQGAN tokenizer (16 codes of 8 values); give a RAR generator");
        refused(
                new TinyModels(tiny.weights(), tiny.weights()),
                ExitCode.DATA,
                "Cannot use " + LocalUri.of(tiny.weights()) + " as --tokenizer: it is a RAR generator (width 16,");
    }

    @Test
    void aFolderIsNoWeightFile() throws IOException {
        tiny = TinyModels.write(folder);
        Path run = Files.createDirectory(folder.resolve("a-run"));
        TinyModels given = new TinyModels(run, tiny.tokenizer());
        String uri = run.toUri().toString();
        String refusal = "Cannot read --weights " + uri + ": it is a folder; give ";
        refused(given, ExitCode.NO_INPUT, refusal + "a weight file");
        Files.copy(tiny.weights(), run.resolve("model.safetensors"));
        refused(given, ExitCode.NO_INPUT, refusal + LocalUri.of(run) + "model.safetensors");
        refused(new TinyModels(tiny.weights(), run), ExitCode.NO_INPUT, "Cannot read --tokenizer " + uri);
    }

    @Test
    void weightsThatAreNotFiniteAreBadData() throws IOException {
        tiny = TinyModels.write(folder);
        for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
            Path file = TinyModels.writeModelWith(folder.resolve(bad + ".safetensors"), "blocks.1.mlp.fc1.weight", bad);
            TinyModels given = new TinyModels(file, tiny.tokenizer());
            assertFails(
                            ExitCode.DATA,
                            () -> GenerateJob.run(SPARK.context(given.recipe(folder.resolve("out" + bad), Map.of()))))
                    .isEqualTo("Cannot use " + LocalUri.of(file)
                            + ": its tensor 'blocks.1.mlp.fc1.weight' has NaN or infinite values; give weights of a training"
                            + " run that did not diverge");
        }
    }

    private void refused(TinyModels given, ExitCode code, String line) {
        assertFails(code, () -> GenerateJob.run(SPARK.context(given.recipe(folder.resolve("run"), Map.of()))))
                .startsWith(line);
        assertThat(folder.resolve("run")).doesNotExist();
    }
}
