package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalUri;
import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not the weights they were given as are refused in one line that says what they are. */
class WrongWeightsTest {
    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @Test
    void aTokenizerAsFirstWeights() throws IOException {
        Path tokenizer = tokenizer();
        refused(
                ExitCode.DATA,
                "Cannot use " + LocalUri.of(tokenizer)
                        + " as --init: it is a MaskGIT-VQGAN tokenizer (32 codes of 8 values);"
                        + " give a RAR generator",
                "train.init",
                tokenizer);
    }

    @Test
    void aGeneratorAsTokenizer() throws IOException {
        Path rar = generator();
        refused(
                ExitCode.DATA,
                "Cannot use " + LocalUri.of(rar) + " as --tokenizer: it is a RAR generator (width 32,",
                "train.tokenizer",
                rar);
    }

    @Test
    void theOptimizersStateOfACheckpoint() throws IOException {
        Path moments = folder.resolve("optimizer.safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                OutputStream out = Files.newOutputStream(moments)) {
            Safetensors.write(out, Map.of(), Map.of("first_moment/cls_token", manager.create(new float[] {1})));
        }
        refused(
                ExitCode.DATA,
                "Cannot use " + LocalUri.of(moments) + " as --init: it is the optimizer state of a training run;",
                "train.init",
                moments);
    }

    @Test
    void aFolder() throws IOException {
        Path run = Files.createDirectory(folder.resolve("a-run"));
        Files.copy(generator(), run.resolve("model.safetensors"));
        for (String option : List.of("init", "tokenizer")) {
            refused(
                    ExitCode.NO_INPUT,
                    "Cannot read --" + option + " " + LocalUri.of(run) + ": it is a folder; give " + LocalUri.of(run)
                            + "model.safetensors",
                    "train." + option,
                    run);
        }
    }

    private void refused(ExitCode code, String line, String key, Path file) throws IOException {
        Recipe recipe = Runs.recipe(Runs.tokens(folder), folder.resolve("run"), key, LocalUri.of(file));
        assertFails(code, () -> TrainInputs.open(storage, recipe, notice -> {})).startsWith(line);
    }

    private Path tokenizer() throws IOException {
        return write("tokenizer", new VqganConfig(32, List.of(1, 1), 1, 8, Runs.CODES).table());
    }

    private Path generator() throws IOException {
        Recipe recipe = Runs.recipe("none", folder.resolve("run"));
        return write("generator", KernelSettings.rar(recipe.model()).parameters());
    }

    private Path write(String name, ParameterTable table) throws IOException {
        return TestWeights.write(folder.resolve(name + ".safetensors"), Map.of(), table);
    }
}
