package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are no tokenizer are refused in one line that says what they are. */
class WrongWeightsTest {
    private static final Path RAR = Path.of("../model-kernel/src/test/resources/golden/rar-small/rar.bin");

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @Test
    void aGenerator() {
        refused(ExitCode.DATA, " as --tokenizer: it is a RAR generator (width 32,", RAR);
    }

    @Test
    void aFolder() {
        refused(ExitCode.NO_INPUT, ": it is a folder; give a weight file", folder);
    }

    private void refused(ExitCode code, String words, Path path) {
        assertFails(
                        code,
                        () -> TokenizerFile.inspect(
                                storage, path.toAbsolutePath().toString()))
                .startsWith("Cannot ")
                .contains(words);
    }
}
