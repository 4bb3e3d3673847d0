package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which checkpoints are deleted after one was published. */
class CheckpointRetentionTest {
    @TempDir
    private java.nio.file.Path output;

    private final Storage storage = new Storage(new Configuration());
    private OutputClaim claim;

    @BeforeEach
    void claim() throws IOException {
        Plan plan = Plan.of("train", "r", Map.of(), Map.of());
        claim = Claims.claim(storage, output.toUri().toString(), plan);
    }

    @AfterEach
    void close() throws IOException {
        claim.close();
    }

    private void publish(String... names) throws IOException {
        for (String name : names) {
            Checkpoints.publish(
                    claim,
                    name,
                    new CheckpointManifest(
                            1,
                            1,
                            "p",
                            List.of(
                                    new CheckpointManifest.File("model.safetensors", 0, ""),
                                    new CheckpointManifest.File("optimizer.safetensors", 0, ""))));
        }
    }

    private List<String> kept() throws IOException {
        return storage.directories(claim.path(Checkpoints.FOLDER));
    }

    @Test
    void whatWasPublishedLastStaysThoughOthersHaveLaterSteps() throws IOException {
        publish("step-000000200-a1-r0-x", "step-000000300-a1-r0-x", "step-000000150-a1-r1-x");
        Checkpoints.deleteOld(claim, "step-000000150-a1-r1-x", 1, 0);
        assertThat(kept()).containsExactly("step-000000150-a1-r1-x");
    }

    @Test
    void restartsAreComparedAsNumbers() throws IOException {
        publish(
                "step-000000100-a1-r0-x",
                "step-000000200-a1-r9-x",
                "step-000000200-a1-r10-x",
                "step-000000300-a1-r10-x");
        Checkpoints.deleteOld(claim, "step-000000300-a1-r10-x", 2, 0);
        assertThat(kept()).containsExactly("step-000000200-a1-r10-x", "step-000000300-a1-r10-x");
    }

    @Test
    void whatARankStillWritesIsNeitherCountedNorDeleted() throws IOException {
        publish("step-000000100-a1-r0-x", "step-000000200-a1-r0-x");
        storage.putString(claim.path("checkpoints/step-000000400-a1-r0-x/model.safetensors"), "unfinished");
        Checkpoints.deleteOld(claim, "step-000000200-a1-r0-x", 2, 0);
        assertThat(kept())
                .containsExactly("step-000000100-a1-r0-x", "step-000000200-a1-r0-x", "step-000000400-a1-r0-x");
    }
}
