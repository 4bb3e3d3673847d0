package io.github.rarspark.kernel.dist;

import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.NativeLibrary;
import java.io.IOException;
import java.util.Optional;

/** The native library with NCCL's process group, a prebuilt library among the resources, for libtorch with CUDA. */
final class NcclLibrary {
    private static final String RESOURCE = "/native/linux-x86_64/librarspark-nccl.so";

    private static final Loading LOADING = load();

    private NcclLibrary() {}

    /**
     * What came of loading the library.
     *
     * @param factory the address of its function that joins a group; 0 if it was not loaded
     * @param obstacle why not, else empty
     */
    private record Loading(long factory, Optional<String> obstacle) {}

    /** Why this process cannot use NCCL, in one line; empty if it can. */
    static Optional<String> obstacle() {
        return LOADING.obstacle();
    }

    /** The address of the function that joins a group; there must be no {@link #obstacle}. */
    static long factory() {
        return LOADING.factory();
    }

    private static Loading load() {
        NativeLibrary.load();
        if (!libtorchHasCuda()) {
            return new Loading(0, Optional.of("libtorch is a build for CPUs"));
        }
        try {
            return new Loading(NativeLibrary.withCopy(RESOURCE, NcclLibrary::factoryIn), Optional.empty());
        } catch (IOException | NativeException e) {
            return new Loading(0, Optional.of(e.getMessage()));
        }
    }

    /** Loads the library in a file; the address of its function that joins a group. */
    static long factoryIn(String file) {
        return open(file);
    }

    private static native boolean libtorchHasCuda();

    private static native long open(String file);
}
