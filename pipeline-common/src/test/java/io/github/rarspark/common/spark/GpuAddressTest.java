package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GpuAddressTest {
    private static int device(String address, String visible, int count) {
        return new GpuAddress(address).device(Optional.ofNullable(visible), count);
    }

    @Test
    void anAddressIsTheNumberOfTheDevice() {
        assertThat(device("0", null, 4)).isZero();
        assertThat(device("3", null, 4)).isEqualTo(3);
        assertFails(ExitCode.UNAVAILABLE, () -> device("4", null, 4)).contains("GPU 4", "none of the 4", "0");
        assertFails(ExitCode.UNAVAILABLE, () -> device("GPU-6f1f", null, 2)).contains("GPU GPU-6f1f");
    }

    @Test
    void whereTheEnvironmentNamesDevicesTheirPlaceCounts() {
        assertThat(device("3", "2,3", 2)).isEqualTo(1);
        assertThat(device("2", "3, 2", 2)).isEqualTo(1);
        assertThat(device("GPU-6f1f", "GPU-0a,GPU-6f1f", 2)).isEqualTo(1);
        assertFails(ExitCode.UNAVAILABLE, () -> device("0", "2,3", 2))
                .contains("GPU 0", "CUDA_VISIBLE_DEVICES=2,3", "unset");
        assertFails(ExitCode.UNAVAILABLE, () -> device("9", "7,8,9", 2)).contains("none of the 2");
    }

    @Test
    void theOnlyDeviceOfAnIsolatedContainerIsMeant() {
        assertThat(device("3", null, 1)).isZero();
        assertThat(device("3", "3", 1)).isZero();
        assertThat(device("0", "GPU-6f1f", 1)).isZero();
    }
}
