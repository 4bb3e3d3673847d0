package io.github.rarspark.kernel.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.rarspark.kernel.error.NativeLoadException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CudaDriverTest {
    @TempDir
    Path folder;

    private Path versionFile;

    @BeforeEach
    void driver() throws IOException {
        versionFile =
                versionFile("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024");
    }

    private Path versionFile(String line) throws IOException {
        return Files.writeString(folder.resolve("version"), line + "\nGCC version:  gcc version 12.2.0\n");
    }

    @Test
    void describesADevice() {
        Gpu gpu = CudaDriver.load(FakeCuda::new, versionFile).describe(1);
        assertThat(gpu).isEqualTo(new Gpu("NVIDIA Fake 1", 80_000_000_000L, "9.0", "0000:3B:00.0"));
        assertThat(gpu).hasToString("NVIDIA Fake 1 (80.0 GB, compute capability 9.0, at 0000:3B:00.0)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024",
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder@x)"
            })
    void readsTheDriversVersion(String line) throws IOException {
        CudaDriver driver = CudaDriver.load(FakeCuda::new, versionFile(line));
        assertThat(driver.version()).isEqualTo("550.54.15");
        assertThat(driver.cuda()).isEqualTo("12.4");
    }

    @Test
    void aKernelThatDoesNotSayItsDriversVersionIsNoFailure() throws IOException {
        assertThat(CudaDriver.load(FakeCuda::new, versionFile("something else")).version())
                .isEqualTo("unknown");
        assertThat(CudaDriver.load(FakeCuda::new, folder.resolve("missing")).version())
                .isEqualTo("unknown");
    }

    static List<LinkageError> failuresToLoad() {
        return List.of(
                new UnsatisfiedLinkError("libcuda.so.1: cannot open shared object file"),
                new NoClassDefFoundError("Could not initialize class com.sun.jna.Native"));
    }

    @ParameterizedTest
    @MethodSource("failuresToLoad")
    void aMissingDriverIsNamed(LinkageError failure) {
        assertRefused(() -> CudaDriver.load(
                        () -> {
                            throw failure;
                        },
                        versionFile))
                .isEqualTo("no NVIDIA driver is here: libcuda.so.1 cannot be loaded; install the driver, 525.60.13 or"
                        + " later, or start the container with NVIDIA's runtime and a GPU");
    }

    @Test
    void anOldDriverIsNamed() {
        FakeCuda old = new FakeCuda();
        old.version = 11040;
        assertRefused(() -> CudaDriver.load(() -> old, versionFile))
                .isEqualTo("the NVIDIA driver 550.54.15 is for CUDA 11.4, and libtorch needs CUDA 12; install driver"
                        + " 525.60.13 or later");
    }

    @Test
    void hiddenDevicesAreNamed() {
        FakeCuda hidden = new FakeCuda();
        hidden.initCode = 100;
        assertRefused(() -> CudaDriver.load(() -> hidden, versionFile))
                .contains("550.54.15 shows this process no GPU (cuInit gives 100)", "CUDA_VISIBLE_DEVICES");
    }

    @Test
    void aFailingCallIsNamed() {
        assertRefused(() -> CudaDriver.load(FakeCuda::new, versionFile).describe(2))
                .isEqualTo("the NVIDIA driver fails: cuDeviceGet gives 101");
    }

    private static AbstractStringAssert<?> assertRefused(ThrowingCallable call) {
        return assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(call)
                .extracting(Throwable::getMessage, InstanceOfAssertFactories.STRING);
    }

    /** A driver for CUDA 12.4 with two devices. */
    private static final class FakeCuda implements CudaApi {
        private static final int DEVICES = 2;
        private static final int INVALID_DEVICE = 101;

        private int version = 12040;
        private int initCode;

        @Override
        public int cuInit(int flags) {
            return initCode;
        }

        @Override
        public int cuDriverGetVersion(int[] result) {
            result[0] = version;
            return 0;
        }

        @Override
        public int cuDeviceGet(int[] device, int index) {
            device[0] = 70 + index; // a handle need not be the index
            return index < DEVICES ? 0 : INVALID_DEVICE;
        }

        @Override
        public int cuDeviceGetName(byte[] name, int length, int device) {
            return write("NVIDIA Fake " + (device - 70), name);
        }

        @Override
        public int cuDeviceTotalMem_v2(long[] bytes, int device) {
            bytes[0] = 80_000_000_000L;
            return 0;
        }

        @Override
        public int cuDeviceGetAttribute(int[] value, int attribute, int device) {
            value[0] = attribute == CAPABILITY_MAJOR ? 9 : 0;
            return 0;
        }

        @Override
        public int cuDeviceGetPCIBusId(byte[] id, int length, int device) {
            return write("0000:3B:00.0", id);
        }

        private static int write(String text, byte[] to) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(bytes, 0, to, 0, bytes.length);
            return 0;
        }
    }
}
