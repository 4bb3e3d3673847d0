package io.github.rarspark.fid;

import static io.github.rarspark.common.testing.JobAssert.assertFails;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalUri;
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
        String rar = LocalUri.of(RAR.toAbsolutePath().normalize());
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
        String classifier = LocalUri.of(TinyClassifier.write(folder.resolve("classifier.safetensors")));
        refused(
                ExitCode.DATA,
                "Cannot use --features inception:" + classifier
                        + ": it is an image classifier (6 features, 3 classes); give classifier:" + classifier,
                "inception:" + classifier);
    }

    @Test
    void aFolder() throws IOException {
        String run = LocalUri.of(folder);
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
        assertFails(code, () -> FeatureNetwork.of(storage, features, 0)).startsWith(line);
    }
}
