package io.github.rarspark.kernel.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.github.rarspark.kernel.error.GpuContextException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.testing.FakeGpus;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class GpuCheckTest {
    private static final String FAKE = " is Fake GPU 1 (8.6 GB, compute capability 9.0, at 0000:01:00.0), driver ";

    @Test
    @Tag("gpu")
    void aGpuIsDescribedWithItsDriverAndLibtorch() {
        assertThat(GpuCheck.check(Device.gpu(1)))
                .startsWith("GPU 1 of 2" + FAKE)
                .contains(" for CUDA 12.8; libtorch 2.7.1 in /");
    }

    @Test
    @Tag("gpu")
    void aGpuThatIsNotThereIsRefused() {
        assertRefused(2, "Cannot compute on GPU 2: libtorch finds 2 here, numbered from 0; give one of them");
    }

    /** As of a GPU that libtorch has no kernels for. */
    @Test
    @Tag("gpu")
    void aGpuThatCannotComputeIsRefused() {
        FakeGpus.withFailure(
                "aten::sum",
                "CUDA error: no kernel image is available for execution on the device\nmore",
                () -> assertRefused(
                        1,
                        "Cannot compute: GPU 1 of 2" + FAKE,
                        ": CUDA error: no kernel image is available for execution on the device; docs/gpu.md says"));
    }

    @Test
    @Tag("gpu")
    void aProcessThatBrokeItsContextIsToBeReplaced() {
        FakeGpus.withFailure(
                "aten::sum", "CUDA error: an illegal memory access was encountered\nmore", () -> assertThatThrownBy(
                                () -> GpuCheck.check(Device.gpu(1)))
                        .isInstanceOf(GpuContextException.class)
                        .hasMessageContaining("The GPU's context in this process is broken (CUDA error: an illegal"
                                + " memory access was encountered)")
                        .hasMessageNotContaining("docs/gpu.md"));
    }

    @Test
    @Tag("gpu")
    void aGpuWithoutFreeMemoryIsOutOfMemory() {
        FakeGpus.withMemory(0, () -> assertThatThrownBy(() -> GpuCheck.check(Device.gpu(1)))
                .isInstanceOf(NativeMemoryException.class));
    }

    @Test
    void withoutGpusTheReasonIsSaid() {
        if (Torch.gpus() == 0) {
            assertRefused(
                    0,
                    "Cannot compute on a GPU: libtorch 2.7.1 in ",
                    " is for CPUs only; make a folder with deploy/gpu/install-libtorch");
        } else {
            assertThat(GpuCheck.count()).isEqualTo(Torch.gpus());
        }
    }

    private static void assertRefused(int index, String... parts) {
        assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(() -> GpuCheck.check(Device.gpu(index)))
                .satisfies(failure -> assertThat(failure.getMessage()).contains(parts));
    }
}
