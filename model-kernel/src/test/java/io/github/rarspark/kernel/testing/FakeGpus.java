package io.github.rarspark.kernel.testing;

import com.sun.jna.Library;
import com.sun.jna.Native;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Two CUDA devices for processes on machines without one: host memory at addresses that host code cannot read or write,
 * so that taking a tensor of a device for one of the host ends the process. They compute on the CPU, after the checks that
 * CUDA's kernels make. Without streams or kernels of their own, they show neither speed nor CUDA's rounding.
 *
 * <p>A process has them from its start, by {@link #javaOptions}, and then also as DJL's default device. The environment
 * variable {@code CUDA_VISIBLE_DEVICES} selects some of them, {@code FAKE_CUDA_MEMORY} limits the bytes of each.
 */
public final class FakeGpus {
    /** Where DJL looks for what to load after libtorch. */
    private static final String LIBRARY = "PYTORCH_EXTRA_LIBRARY_PATH";

    private static final String RESOURCES = "/native/linux-x86_64/";
    private static final List<String> FILES = List.of("libfakecuda.so", "libcudart.so", "libcuda.so.1");

    private FakeGpus() {}

    private interface FakeCuda extends Library {
        String fakeCudaSourceHash();

        void fakeCudaResetCounts();

        String fakeCudaCounts();

        long fakeCudaAllocated(int device);

        long fakeCudaAllocations(int device);

        void fakeCudaLimitMemory(long bytes);

        void fakeCudaFail(String operator, String message);

        void fakeCudaBreakContext(String operator, long call);
    }

    /** The options of a JVM that has the devices; the libraries are in a folder that this process deletes at its end. */
    public static List<String> javaOptions() {
        try {
            Path folder = Files.createTempDirectory("fake-gpus");
            folder.toFile().deleteOnExit();
            for (String file : FILES) {
                try (InputStream resource = FakeGpus.class.getResourceAsStream(RESOURCES + file)) {
                    Files.copy(resource, folder.resolve(file));
                }
                folder.resolve(file).toFile().deleteOnExit();
            }
            // DJL would look for a libtorch that is built for the CUDA it finds.
            return List.of(
                    "-DPYTORCH_FLAVOR=cpu",
                    "-D" + LIBRARY + "=" + folder.resolve(FILES.get(0)),
                    "-Djna.library.path=" + folder);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot unpack the fake GPUs", e);
        }
    }

    /** Whether this process has the devices. */
    public static boolean areHere() {
        return System.getProperty(LIBRARY, "").endsWith(FILES.get(0));
    }

    /** The SHA-256 of the sources that the library was built from, in hexadecimal. */
    public static String builtFrom() {
        return library().fakeCudaSourceHash();
    }

    /**
     * What {@code work} had the devices do: the number of calls of each operator, such as {@code aten::mm}; of copies, by
     * {@code copy to host}, {@code copy to device} and {@code copy on device}, and their bytes, as in {@code copy to host,
     * bytes}; and how often the host waited otherwise, by {@code wait for a copy to device} and {@code synchronize}. Other
     * threads count as well.
     */
    public static Map<String, Long> countsOf(Runnable work) {
        FakeCuda library = library();
        library.fakeCudaResetCounts();
        work.run();
        return counts();
    }

    /** The same of all that was done since the start of the process, or the last call of {@link #countsOf}. */
    public static Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        library().fakeCudaCounts().lines().forEach(line -> {
            String[] parts = line.split("\t");
            counts.put(parts[0], Long.parseLong(parts[1]));
        });
        return counts;
    }

    /** The bytes that are allocated on a device. */
    public static long allocated(int device) {
        return library().fakeCudaAllocated(device);
    }

    /** How often this process has allocated memory on a device: at least once for each operator with a new tensor. */
    public static long allocations(int device) {
        return library().fakeCudaAllocations(device);
    }

    /** Limits the memory of each device while {@code work} runs. */
    public static void withMemory(long bytes, Runnable work) {
        FakeCuda library = library();
        library.fakeCudaLimitMemory(bytes);
        try {
            work.run();
        } finally {
            library.fakeCudaLimitMemory(Long.MAX_VALUE);
        }
    }

    /** Has an operator such as {@code aten::mm} fail while {@code work} runs. */
    public static void withFailure(String operator, String message, Runnable work) {
        FakeCuda library = library();
        library.fakeCudaFail(operator, message);
        try {
            work.run();
        } finally {
            library.fakeCudaFail("", "");
        }
    }

    /**
     * Has an operator break the context of this process: that call, counted from 1, fails with a CUDA error, and so does
     * whatever the process asks of a device from then on.
     */
    public static void breakContext(String operator, long call) {
        library().fakeCudaBreakContext(operator, call);
    }

    private static FakeCuda library() {
        if (!areHere()) {
            throw new IllegalStateException("This process has no fake GPUs: run it with FakeGpus.javaOptions()");
        }
        Torch.gpus(); // has libtorch loaded, which the library needs
        return Native.load(System.getProperty(LIBRARY), FakeCuda.class);
    }
}
