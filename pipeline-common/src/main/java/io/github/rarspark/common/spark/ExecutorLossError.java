package io.github.rarspark.common.spark;

import io.github.rarspark.common.Failures;
import io.github.rarspark.kernel.error.GpuContextException;
import java.util.concurrent.Callable;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the executor of a task that has left a GPU's context broken: no later task could compute in that process. Spark
 * tells the driver why a task failed, and then ends an executor for an error of the virtual machine; the cluster starts
 * another, as for any that is lost.
 */
public final class ExecutorLossError extends VirtualMachineError {
    private static final long serialVersionUID = 1;
    private static final Logger LOG = LoggerFactory.getLogger(ExecutorLossError.class);

    private ExecutorLossError(String message, Throwable cause) {
        super(message);
        initCause(cause);
    }

    /**
     * Does the work of a task. In a local run the process is the driver's too, and the failure passes as it is.
     *
     * @throws ExecutorLossError if the work ends with a {@link GpuContextException}, or would have to
     */
    public static <R> R ifGpuBreaks(Callable<R> work) throws Exception {
        try {
            return work.call();
        } catch (Exception e) {
            if (Failures.isBrokenGpu(e) && !SparkEnv.get().executorId().equals(TaskDevice.DRIVER)) {
                LOG.error("This executor ends, so that another takes its place: {}", Failures.message(e));
                throw new ExecutorLossError("The executor ends: " + Failures.message(e), e);
            }
            throw e;
        }
    }
}
