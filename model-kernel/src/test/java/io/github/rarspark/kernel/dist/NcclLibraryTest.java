package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** With the libtorch for CPUs, as in every build. */
class NcclLibraryTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void theLibraryIsNotLoadedIntoALibtorchForCpus() throws IOException {
        assertThat(NcclLibrary.obstacle()).contains("libtorch is a build for CPUs");
        assertThat(Files.readString(Path.of("/proc/self/maps")))
                .contains("libtorch_cpu.so")
                .doesNotContain("libtorch_cuda.so");
    }

    @Test
    void aRankAloneDoesWithoutItAndDoesNotWarn() {
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", LIMIT);
                ProcessGroup group = ProcessGroup.join(store, 0, 1, "127.0.0.1", LIMIT, Device.gpu(0))) {
            assertThat(group.backend()).isEqualTo("gloo");
            assertThat(group.warning()).isEmpty();
        }
    }
}
