package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.train.tensorboard.EventReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What TensorBoard itself reads. RAR_TENSORBOARD_PYTHON names a Python that has it, as .ci/run prepares one. */
@Timeout(120)
class TensorBoardTest {
    private static final String PYTHON = System.getenv("RAR_TENSORBOARD_PYTHON");
    private static final Plan PLAN = Plan.of("train", "r", Map.of(), Map.of());

    @TempDir
    Path folder;

    @BeforeAll
    static void thereIsTensorBoard() {
        if (PYTHON == null) {
            System.out.println("TensorBoardTest is skipped: RAR_TENSORBOARD_PYTHON is not set; .ci/run sets it");
        }
        assumeTrue(PYTHON != null, "RAR_TENSORBOARD_PYTHON is not set");
    }

    private OutputClaim claim(Path output) throws IOException {
        return Claims.claim(new Storage(new Configuration()), output.toUri().toString(), PLAN);
    }

    private static void add(EventFiles files, long first, long last, double loss) {
        LongStream.rangeClosed(first, last).forEach(step -> files.add(ProgressReports.of(step, loss)));
    }

    /**
     * A driver dies after the events of step 8 and before its checkpoint; the next resumes at step 4, and the first,
     * which had only been suspended, publishes its file again. TensorBoard has read some of it meanwhile.
     */
    @Test
    void everyStepIsShownOnce() throws Exception {
        Path output = folder.resolve("run");
        Path before = Files.createDirectories(folder.resolve("before"));
        String late;
        try (OutputClaim claim = claim(output)) {
            EventFiles files = EventFiles.resumeAt(claim, 0, InstantSource.system());
            add(files, 1, 4, 4);
            files.publish(4);
            add(files, 5, 8, 3);
            files.grid(8, PngEncoder.encode(new RgbImage(20, 22, new byte[20 * 22 * 3])), List.of("0 Top", "1 Bag"));
            files.publish(8);
        }
        for (String name : EventReader.names(output)) {
            Files.copy(output.resolve(name), before.resolve(name));
        }
        late = EventReader.names(output).get(1);
        try (OutputClaim claim = claim(output)) {
            EventFiles files = EventFiles.resumeAt(claim, 4, InstantSource.system());
            files.note(4, "restarts/cause", "rank 1 was lost");
            add(files, 5, 8, 2);
            files.grid(8, PngEncoder.encode(new RgbImage(20, 22, new byte[20 * 22 * 3])), List.of("0 Top", "1 Bag"));
            files.publish(8);
            add(files, 9, 10, 2);
            files.publish(10);
        }
        Files.copy(before.resolve(late), output.resolve(late));

        for (JsonNode shown : List.of(read(before, output), read(output, output))) {
            assertThat(shown.get("scalars").get("loss/all"))
                    .hasToString("[[1,4.0],[2,4.0],[3,4.0],[4,4.0],[5,2.0],[6,2.0],[7,2.0],[8,2.0],[9,2.0],[10,2.0]]");
            assertThat(shown.get("scalars").get("learning_rate")).hasSize(10);
            assertThat(shown.get("images"))
                    .hasToString("{\"samples/0 Top\":[[8,20,12]],\"samples/1 Bag\":[[8,20,12]]}");
            assertThat(shown.get("texts")).hasToString("{\"restarts/cause\":[[4,\"rank 1 was lost\"]]}");
        }
    }

    private JsonNode read(Path before, Path after) throws Exception {
        Path script = Path.of("src", "test", "resources", "read_events.py").toAbsolutePath();
        Path out = folder.resolve("shown.json");
        Process python = new ProcessBuilder(PYTHON, script.toString(), before.toString(), after.toString())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(python.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(python.exitValue()).isZero();
        return new ObjectMapper().readTree(out.toFile());
    }
}
