package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.util.List;
import java.util.Optional;

/**
 * The address that Spark gives a task for its GPU: what the discovery script printed for it, such as {@code 3} or {@code
 * GPU-6f1f...}. A process sees some of a host's GPUs, which CUDA numbers from 0.
 *
 * @param address as Spark gives it
 */
record GpuAddress(String address) {
    /** The environment variable that limits and orders the GPUs that a process sees. */
    static final String VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES";

    /**
     * CUDA's number of this GPU in a process. Where one GPU is visible, as in an isolated container, it is the one; else
     * it is where the address stands in {@value #VISIBLE_DEVICES}; without that variable, the address is the number.
     *
     * @param visible the value of {@value #VISIBLE_DEVICES}; empty if it is not set
     * @param count how many GPUs the process sees, at least one
     * @throws JobException {@link ExitCode#UNAVAILABLE} if that leads to none of them
     */
    int device(Optional<String> visible, int count) {
        if (count == 1) {
            return 0;
        }
        int device = visible.map(devices -> List.of(devices.replace(" ", "").split(",", -1)))
                .map(devices -> devices.indexOf(address))
                .orElseGet(this::number);
        if (device < 0 || device >= count) {
            throw refused("Spark gave it to this task, and it is none of the " + count + " that libtorch finds here, "
                    + visible.map(devices -> "which " + VISIBLE_DEVICES + "=" + devices
                                    + " names; let the discovery script print these names, or unset the variable")
                            .orElse("numbered from 0; let the discovery script print these numbers"));
        }
        return device;
    }

    private int number() {
        return address.matches("\\d{1,4}") ? Integer.parseInt(address) : -1;
    }

    private JobException refused(String reason) {
        return new JobException(ExitCode.UNAVAILABLE, "Cannot compute on GPU " + address + ": " + reason);
    }
}
