package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.Torch;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code librarspark-nccl.so} in a process whose libtorch is a build for CUDA, with a GPU or without one. */
class CudaLibtorchTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @BeforeEach
    void requireCudaLibtorch() {
        assumeTrue(
                System.getenv("PYTORCH_LIBRARY_PATH") != null,
                "PYTORCH_LIBRARY_PATH does not name a libtorch for CUDA: run .ci/nccl");
    }

    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    @Test
    void theLibraryLoads() {
        assertThat(NcclLibrary.obstacle()).isEmpty();
    }

    @Test
    void withoutAGpuAGroupIsAnError() {
        assumeTrue(Torch.gpus() == 0, "there is a GPU");
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", LIMIT)) {
            assertThatThrownBy(() -> ProcessGroup.join(store, 0, 1, "127.0.0.1", LIMIT, Device.gpu(0)))
                    .isExactlyInstanceOf(NativeException.class)
                    .hasMessage("ProcessGroupNCCL is only supported with GPUs, no GPUs found!");
        }
    }

    @Test
    void aRankAloneOnAGpuIsAGroup() {
        assumeTrue(Torch.gpus() > 0, "there is no GPU");
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(0));
                RendezvousStore store = RendezvousStore.serve("127.0.0.1", LIMIT);
                ProcessGroup group = ProcessGroup.join(store, 0, 1, "127.0.0.1", LIMIT, Device.gpu(0))) {
            assertThat(group.backend()).isEqualTo("nccl");
            NDArray values = manager.create(new float[] {1, 2, 3});
            group.allReduceSum(values);
            group.broadcast(values, 0);
            group.barrier();
            assertThat(values.toFloatArray()).containsExactly(1, 2, 3);
        }
    }
}
