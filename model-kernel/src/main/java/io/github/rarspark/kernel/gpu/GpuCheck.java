package io.github.rarspark.kernel.gpu;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibUtils;
import io.github.rarspark.kernel.error.GpuContextException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what is missing where libtorch cannot compute on a GPU, and what computes where it can. */
public final class GpuCheck {
    private static final Logger LOG = LoggerFactory.getLogger(GpuCheck.class);

    private GpuCheck() {}

    /**
     * The number of GPUs that this process sees, at least one.
     *
     * @throws NativeLoadException if libtorch finds none: why, and what to do
     */
    public static int count() {
        int count = Torch.gpus();
        if (count == 0) {
            throw new NativeLoadException("Cannot compute on a GPU: " + reason() + ", or use --device cpu", null);
        }
        return count;
    }

    /**
     * Computes a sum on a GPU, and logs in one line what it is, with its driver and libtorch. A task calls this once it
     * knows its device.
     *
     * @return the line
     * @throws NativeLoadException if libtorch cannot compute there: why, and what to do
     * @throws NativeMemoryException if the GPU has no free memory
     * @throws GpuContextException if this process cannot use it any more
     */
    public static String check(Device device) {
        int index = device.getDeviceId();
        int count = count();
        if (index >= count) {
            throw new NativeLoadException(
                    "Cannot compute on GPU " + index + ": libtorch finds " + count
                            + " here, numbered from 0; give one of them",
                    null);
        }
        String line = "GPU " + index + " of " + count + " is " + describe(index) + "; " + libtorch();
        try {
            compute(device);
        } catch (NativeLoadException | NativeMemoryException e) {
            throw e;
        } catch (NativeException | EngineException e) {
            Optional<GpuContextException> broken = GpuContextException.of(e);
            if (broken.isPresent()) {
                throw new GpuContextException(
                        "Cannot compute: " + line + ": " + broken.get().getMessage(), e);
            }
            throw new NativeLoadException(
                    "Cannot compute: " + line + ": " + firstLine(e)
                            + "; docs/gpu.md says which GPUs and drivers it supports",
                    e);
        }
        LOG.info("{}", line);
        return line;
    }

    /**
     * A GPU's place on the PCI bus, which tells the GPUs of a machine apart, whatever a process calls them; empty if the
     * driver does not say.
     */
    public static Optional<String> bus(Device device) {
        try {
            return Optional.of(CudaDriver.load().describe(device.getDeviceId()).bus());
        } catch (NativeLoadException e) {
            return Optional.empty();
        }
    }

    private static String firstLine(RuntimeException failure) {
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    }

    private static void compute(Device device) {
        try (NDManager manager = NDManager.newBaseManager(device);
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray sum = scope.sum(scope.floats(new float[] {1, 2}, 2), 0);
            if (sum.getFloat() != 3) {
                throw new NativeException("1 + 2 is " + sum.getFloat());
            }
        }
    }

    /** Where the driver does not describe a device that libtorch has, that is no reason to refuse it. */
    private static String describe(int index) {
        try {
            CudaDriver driver = CudaDriver.load();
            return driver.describe(index) + ", driver " + driver.version() + " for CUDA " + driver.cuda();
        } catch (NativeLoadException e) {
            return "unknown (" + e.getMessage() + ")";
        }
    }

    /** Why libtorch finds no GPU. */
    private static String reason() {
        if (!Files.exists(Path.of(LibUtils.getLibtorchPath(), "libtorch_cuda.so"))) {
            return libtorch() + " is for CPUs only; make a folder with deploy/gpu/install-libtorch and name it in"
                    + " RAR_SPARK_LIBTORCH (docs/gpu.md)";
        }
        try {
            CudaDriver.load();
        } catch (NativeLoadException e) {
            return e.getMessage();
        }
        return libtorch() + " finds none, although the driver does; see whether the log of this process names a library"
                + " that is missing";
    }

    private static String libtorch() {
        return "libtorch " + LibUtils.getVersion() + " in " + LibUtils.getLibtorchPath();
    }
}
