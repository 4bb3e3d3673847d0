package io.github.rarspark.fid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not the network they were given as are refused in one line that says what they are. */
class WrongWeightsTest {
    private static final Path RAR = Path.of("../model-kernel/src/test/resources/golden/rar-small/rar.bin");

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @Test
    void aGenerator() {
        String rar = uri(RAR.toAbsolutePath().normalize());
        refused(
                ExitCode.DATA,
                "Cannot use " + rar + " as --features: it is a RAR generator (width 32,",
                "classifier:" + rar);
        refused(
                ExitCode.DATA,
                "Cannot use " + rar + " as --features: it is a RAR generator (width 32,",
                "inception:" + rar);
    }

    @Test
    void theOtherNetworkSaysItsPrefix() throws IOException {
        String classifier = uri(TinyClassifier.write(folder.resolve("classifier.safetensors")));
        refused(
                ExitCode.DATA,
                "Cannot use --features inception:" + classifier
                        + ": it is an image classifier (6 features, 3 classes); give classifier:" + classifier,
                "inception:" + classifier);
    }

    @Test
    void aFolder() throws IOException {
        String run = uri(folder);
        TinyClassifier.write(folder.resolve("model.safetensors"));
        refused(
                ExitCode.NO_INPUT,
                "Cannot read --features " + run + ": it is a folder; give " + run + "model.safetensors",
                "classifier:" + run);
        Files.delete(folder.resolve("model.safetensors"));
        refused(
                ExitCode.NO_INPUT,
                "Cannot read --features " + run + ": it is a folder; give a weight file",
                "inception:" + run);
    }

    private void refused(ExitCode code, String line, String features) {
        assertThatThrownBy(() -> FeatureNetwork.of(storage, features, 0))
                .satisfies(e -> assertThat(Failures.exitCode(e)).isEqualTo(code))
                .extracting(Failures::message)
                .asString()
                .startsWith(line)
                .doesNotContain("\n");
    }

    private static String uri(Path path) {
        return path.toUri().toString().replace("file:///", "file:/");
    }
}
