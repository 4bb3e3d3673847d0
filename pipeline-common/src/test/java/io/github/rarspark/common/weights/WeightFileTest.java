package io.github.rarspark.common.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every job's weights go through takes each format, whatever the file is called. */
class WeightFileTest {
    private static final Path FIXTURES = Path.of("..", "model-kernel", "src", "test", "resources", "weights");

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"zip.pth, torch_zip", "legacy.pth, torch_legacy", "expected.safetensors, safetensors"})
    void everyFormatIsRead(String name, String format) throws IOException {
        Path file = Files.copy(FIXTURES.resolve(name), folder.resolve("weights"));
        TensorFile read = WeightFile.of(storage, file.toUri().toString()).read(storage);
        assertThat(read.format().name()).isEqualTo(format);
        assertThat(read.names()).hasSize(20);
        assertThat(read.file()).endsWith("/weights");
    }

    @Test
    void whatIsReplacedMeanwhileIsRefused() throws IOException {
        Path file = Files.copy(FIXTURES.resolve("module.pth"), folder.resolve("weights"));
        WeightFile weights = WeightFile.of(storage, file.toUri().toString());
        Files.delete(file);
        Files.copy(FIXTURES.resolve("zip.pth"), file);
        assertThatThrownBy(() -> weights.read(storage))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("it was replaced while the job ran");
    }
}
