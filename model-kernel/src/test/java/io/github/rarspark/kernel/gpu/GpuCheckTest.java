package io.github.rarspark.kernel.gpu;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.tensor.Torch;
import org.junit.jupiter.api.Test;

class GpuCheckTest {
    @Test
    void everyGpuThatIsHereIsUsable() {
        assumeTrue(Torch.gpus() > 0, "libtorch finds no GPU here");
        for (int index = 0; index < Torch.gpus(); index++) {
            Device device = Device.gpu(index);
            assertThatCode(() -> GpuCheck.check(device)).as(device.toString()).doesNotThrowAnyException();
        }
    }

    @Test
    void aGpuThatIsNotHereIsRefused() {
        int count = Torch.gpus();
        assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(() -> GpuCheck.check(Device.gpu(count)))
                .withMessageContaining(
                        count == 0
                                ? "is for CPUs only; make a folder with deploy/gpu/install-libtorch"
                                : "libtorch finds " + count + " here, numbered from 0");
    }
}
