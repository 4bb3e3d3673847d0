package io.github.rarspark.kernel.error;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GpuContextExceptionTest {
    private static final String MORE = "\nCUDA kernel errors might be asynchronously reported at some other API call";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CUDA error: an illegal memory access was encountered",
                "CUDA error: uncorrectable ECC error encountered",
                "CUDA error: device-side assert triggered",
                "CUDA error: invalid program counter",
                "CUDA error: operation not supported on global/shared address space",
                "CUDA error: unknown error",
                "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(handle, opa, opb, m, n, k)`",
                "CUDA driver error: unspecified launch failure",
                "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"
            })
    void afterTheseTheProcessCannotUseTheGpu(String error) {
        NativeException ofBridge = new NativeException(error);
        assertThat(GpuContextException.of(ofBridge).orElseThrow())
                .hasMessageContaining("(" + error + ")")
                .hasCause(ofBridge);
        assertThat(GpuContextException.of(new EngineException(error + MORE)).orElseThrow())
                .hasMessageContaining("(" + error + ")")
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CUDA error: out of memory",
                "CUDA error: no kernel image is available for execution on the device",
                "CUDA error: invalid configuration argument",
                "CUDA error: invalid device ordinal",
                "CUDA error: operation not supported",
                "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmEx(handle)`",
                "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED",
                "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"
            })
    void theseAreOfOneCall(String error) {
        assertThat(GpuContextException.of(new NativeException(error))).isEmpty();
        assertThat(GpuContextException.of(new EngineException(error + MORE))).isEmpty();
    }

    @Test
    void onlyLibtorchTellsOfTheGpu() {
        assertThat(GpuContextException.of(new DataException("CUDA error: unknown error")))
                .isEmpty();
        GpuContextException known = new GpuContextException("broken", null);
        assertThat(GpuContextException.of(known)).containsSame(known);
    }
}
