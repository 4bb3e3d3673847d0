package io.github.rarspark.kernel.gpu;

import com.sun.jna.Native;
import io.github.rarspark.kernel.error.NativeLoadException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The NVIDIA driver of this machine. */
final class CudaDriver {
    /** The oldest driver for libtorch's CUDA 12, by NVIDIA's rule of compatibility within a major version. */
    static final String OLDEST = "525.60.13";

    private static final int OLDEST_CUDA = 12000;
    private static final int NAME_LENGTH = 256;
    /** Where the kernel module says its version. */
    private static final Path VERSION_FILE = Path.of("/proc/driver/nvidia/version");

    private static final Pattern VERSION = Pattern.compile("NVRM version:.*?\\s(\\d+\\.\\d+(\\.\\d+)?)\\s");

    private final CudaApi api;
    private final Path versionFile;

    private CudaDriver(CudaApi api, Path versionFile) {
        this.api = api;
        this.versionFile = versionFile;
    }

    /**
     * Loads the driver's library and checks that it is recent enough for libtorch.
     *
     * @throws NativeLoadException if not, or if the driver shows this process no device
     */
    static CudaDriver load() {
        return load(CudaApi::load, VERSION_FILE);
    }

    static CudaDriver load(Supplier<CudaApi> library, Path versionFile) {
        CudaApi api;
        try {
            api = library.get();
        } catch (LinkageError e) { // after a failure to load JNA, another one in every later call
            throw new NativeLoadException(
                    "no NVIDIA driver is here: " + CudaApi.LIBRARY + " cannot be loaded; install the driver, " + OLDEST
                            + " or later, or start the container with NVIDIA's runtime and a GPU",
                    e);
        }
        CudaDriver driver = new CudaDriver(api, versionFile);
        int version = driver.cudaVersion();
        if (version < OLDEST_CUDA) {
            throw new NativeLoadException(
                    "the NVIDIA driver " + driver.version() + " is for CUDA " + cuda(version)
                            + ", and libtorch needs CUDA 12; install driver " + OLDEST + " or later",
                    null);
        }
        int code = api.cuInit(0);
        if (code != 0) {
            throw new NativeLoadException(
                    "the NVIDIA driver " + driver.version() + " shows this process no GPU (cuInit gives " + code
                            + "); let nvidia-smi list one here, and see what CUDA_VISIBLE_DEVICES hides",
                    null);
        }
        return driver;
    }

    /** The driver's version, such as {@code 550.54.15}; {@code unknown} where the kernel does not say. */
    String version() {
        try {
            Matcher matcher = VERSION.matcher(Files.readString(versionFile));
            return matcher.find() ? matcher.group(1) : "unknown";
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** The newest CUDA that the driver supports, such as {@code 12.4}. */
    String cuda() {
        return cuda(cudaVersion());
    }

    /** Describes the device that CUDA numbers {@code index} in this process. */
    Gpu describe(int index) {
        int[] device = new int[1];
        check("cuDeviceGet", api.cuDeviceGet(device, index));
        byte[] name = new byte[NAME_LENGTH];
        check("cuDeviceGetName", api.cuDeviceGetName(name, name.length, device[0]));
        long[] bytes = new long[1];
        check("cuDeviceTotalMem", api.cuDeviceTotalMem_v2(bytes, device[0]));
        byte[] bus = new byte[NAME_LENGTH];
        check("cuDeviceGetPCIBusId", api.cuDeviceGetPCIBusId(bus, bus.length, device[0]));
        return new Gpu(
                Native.toString(name),
                bytes[0],
                attribute(device[0], CudaApi.CAPABILITY_MAJOR) + "." + attribute(device[0], CudaApi.CAPABILITY_MINOR),
                Native.toString(bus));
    }

    private int attribute(int device, int attribute) {
        int[] value = new int[1];
        check("cuDeviceGetAttribute", api.cuDeviceGetAttribute(value, attribute, device));
        return value[0];
    }

    private int cudaVersion() {
        int[] version = new int[1];
        check("cuDriverGetVersion", api.cuDriverGetVersion(version));
        return version[0];
    }

    private static String cuda(int version) {
        return String.format(Locale.ROOT, "%d.%d", version / 1000, version % 1000 / 10);
    }

    private static void check(String function, int code) {
        if (code != 0) {
            throw new NativeLoadException("the NVIDIA driver fails: " + function + " gives " + code, null);
        }
    }
}
