package io.github.rarspark.kernel.gpu;

import com.sun.jna.Library;
import com.sun.jna.Native;

/**
 * The part of CUDA's driver API that describes devices, by the names of its C functions. All return 0 for success, and write
 * their results into arrays. The library belongs to the driver, not to libtorch.
 */
interface CudaApi extends Library {
    /** The library's name. */
    String LIBRARY = "libcuda.so.1";

    /** Attributes of a device: the two parts of its compute capability. */
    int CAPABILITY_MAJOR = 75;

    int CAPABILITY_MINOR = 76;

    /**
     * Loads the driver's library.
     *
     * @throws UnsatisfiedLinkError if there is none
     */
    static CudaApi load() {
        return Native.load(LIBRARY, CudaApi.class);
    }

    int cuInit(int flags);

    /** The version of CUDA that the driver supports: 12060 for 12.6. */
    int cuDriverGetVersion(int[] version);

    int cuDeviceGet(int[] device, int index);

    int cuDeviceGetName(byte[] name, int length, int device);

    int cuDeviceTotalMem_v2(long[] bytes, int device);

    int cuDeviceGetAttribute(int[] value, int attribute, int device);

    int cuDeviceGetPCIBusId(byte[] id, int length, int device);
}
