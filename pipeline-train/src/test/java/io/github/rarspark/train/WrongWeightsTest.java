package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
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
                "Cannot use " + uri(tokenizer) + " as --init: it is a MaskGIT-VQGAN tokenizer (32 codes of 8 values);"
                        + " give a RAR generator",
                "train.init",
                tokenizer);
    }

    @Test
    void aGeneratorAsTokenizer() throws IOException {
        Path rar = generator();
        refused(
                ExitCode.DATA,
                "Cannot use " + uri(rar) + " as --tokenizer: it is a RAR generator (width 32,",
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
                "Cannot use " + uri(moments) + " as --init: it is the optimizer state of a training run;",
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
                    "Cannot read --" + option + " " + uri(run) + ": it is a folder; give " + uri(run)
                            + "model.safetensors",
                    "train." + option,
                    run);
        }
    }

    private void refused(ExitCode code, String line, String key, Path file) throws IOException {
        Recipe recipe = Runs.recipe(Runs.tokens(folder), folder.resolve("run"), key, uri(file));
        assertThatThrownBy(() -> TrainInputs.open(storage, recipe))
                .satisfies(e -> assertThat(Failures.exitCode(e)).isEqualTo(code))
                .extracting(Failures::message)
                .asString()
                .startsWith(line)
                .doesNotContain("\n");
    }

    private Path tokenizer() throws IOException {
        return write("tokenizer", new VqganConfig(32, List.of(1, 1), 1, 8, Runs.CODES).table());
    }

    private Path generator() throws IOException {
        Recipe recipe = Runs.recipe("none", folder.resolve("run"));
        return write("generator", KernelSettings.rar(recipe.model()).parameters());
    }

    private Path write(String name, ParameterTable table) throws IOException {
        Path path = folder.resolve(name + ".safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.initial(table, 0, manager);
                OutputStream out = Files.newOutputStream(path)) {
            Safetensors.write(out, Map.of(), tensors.asMap());
        }
        return path;
    }

    private static String uri(Path path) {
        return path.toUri().toString().replace("file:///", "file:/");
    }
}
