package io.github.rarspark.kernel.error;

import ai.djl.engine.EngineException;
import java.util.Optional;
import java.util.regex.Pattern;

/** CUDA fails whatever this process asks of the GPU; another process may not find it so. */
public final class GpuContextException extends NativeException {
    private static final long serialVersionUID = 1;

    /** How libtorch begins to tell what CUDA's runtime, its driver, or cuBLAS and cuDNN in a kernel of theirs, met. */
    private static final Pattern OF_CUDA =
            Pattern.compile("CUDA (driver )?error: (?!CUBLAS_).*|.*\\b(CUBLAS|CUDNN)_STATUS_EXECUTION_FAILED\\b.*");

    /** What is wrong with one call alone: the process can make others. */
    private static final Pattern OF_THE_CALL = Pattern.compile(
            "no kernel image|out of memory|: invalid (argument|configuration|device|resource)|: operation not supported$");

    /** One line: what failed, and what to do. */
    public GpuContextException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * A failure that has broken the context, or found it broken: itself, or what the bridge or DJL made of an error of
     * CUDA. Most of these leave the process unable to compute on the GPU.
     */
    public static Optional<GpuContextException> of(Throwable failure) {
        if (failure instanceof GpuContextException known) {
            return Optional.of(known);
        }
        String line = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
        boolean broken = (failure instanceof NativeException || failure instanceof EngineException)
                && OF_CUDA.matcher(line).matches()
                && !OF_THE_CALL.matcher(line).find();
        return broken
                ? Optional.of(new GpuContextException(
                        "The GPU's context in this process is broken (" + line
                                + "), by what failed here or by the GPU itself; run again, in a new process",
                        failure))
                : Optional.empty();
    }
}
