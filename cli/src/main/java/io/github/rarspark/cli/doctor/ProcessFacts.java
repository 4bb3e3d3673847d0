package io.github.rarspark.cli.doctor;

import java.io.Serializable;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What a driver or an executor found out about itself. The driver judges it ({@link ProcessChecks}).
 *
 * @param process {@code driver} or {@code executor ID}
 * @param host its machine or pod
 * @param versions of {@code java}, {@code spark}, {@code scala} and {@code hadoop}
 * @param system name and architecture, such as {@code Linux amd64}
 * @param glibc its version
 * @param fileNames the encoding of file names
 * @param environment the variables that matter here
 * @param cores that the process may use
 * @param memory what it has
 * @param localDirectories Spark's
 * @param temporary java.io.tmpdir
 * @param engineCache where DJL unpacks libtorch
 * @param libtorch which one computes
 * @param gpu the device of the task, and what the discovery script says; null without GPUs
 * @param clock what its clock says
 * @param storage how storing went; null if it was not tried
 */
record ProcessFacts(
        String process,
        String host,
        Map<String, String> versions,
        String system,
        Probed<String> glibc,
        String fileNames,
        Map<String, String> environment,
        int cores,
        Memory memory,
        List<Disk> localDirectories,
        Disk temporary,
        Disk engineCache,
        Probed<String> libtorch,
        Gpu gpu,
        Instant clock,
        Probed<StorageProbe.Speed> storage)
        implements Serializable {

    /**
     * The memory of a process.
     *
     * @param heapBytes the limit of its heap
     * @param limitBytes what its container may take, or the machine's
     * @param machineBytes the machine's
     */
    record Memory(long heapBytes, long limitBytes, long machineBytes) implements Serializable {
        boolean isContained() {
            return limitBytes < machineBytes;
        }
    }

    /**
     * The GPU of a task.
     *
     * @param addresses that Spark gave the task
     * @param device what computes there
     * @param discovered the addresses that the discovery script prints; null if this process has none to run
     */
    record Gpu(List<String> addresses, Probed<String> device, Probed<String> discovered) implements Serializable {}
}
