package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.testing.FakeGpus;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("gpu")
class GpuMemoryTest {
    @Test
    void aClosedScopeLeavesNothing() {
        long before = FakeGpus.allocated(1);
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(1));
                TensorScope s = TensorScope.inference(manager)) {
            s.affine(s.zeros(100), 2, 0);
            assertThat(FakeGpus.allocated(1)).isGreaterThanOrEqualTo(before + 800);
        }
        Torch.freeCachedGpuMemory();
        assertThat(FakeGpus.allocated(1)).isEqualTo(before);
    }

    @Test
    void memoryThatTheDeviceDoesNotHaveIsOneLineWithTheSettingToLower() {
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(1));
                TensorScope s = TensorScope.inference(manager)) {
            FakeGpus.withMemory(1000, () -> assertThatThrownBy(() -> s.zeros(500))
                    .isInstanceOfSatisfying(NativeMemoryException.class, failure -> assertThat(
                                    failure.lowering("generate.batch"))
                            .hasMessageStartingWith("Out of memory for tensors: lower generate.batch (CUDA out of"
                                    + " memory. Tried to allocate 2000 bytes. GPU 1 has a total capacity of 1000"
                                    + " bytes of which ")
                            .hasMessageEndingWith(" bytes is free)")));
            s.zeros(500);
        }
    }

    /** CUDA's libraries allocate memory of their own, past libtorch's allocator. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
                "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
                "CUDA error: out of memory"
            })
    void memoryThatALibraryDoesNotGetIsTheSame(String message) {
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(0));
                TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.zeros(2, 2);
            FakeGpus.withFailure(
                    "aten::mm", message + "\nwith more lines", () -> assertThatThrownBy(() -> s.matmul(x, x))
                            .isInstanceOf(NativeMemoryException.class)
                            .hasMessage(message));
        }
    }
}
