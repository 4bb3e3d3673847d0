package io.github.rarspark.kernel.dist;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Handles;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * One rank's membership in a group that runs collectives (c10d's ProcessGroup): over NCCL between GPUs, if every rank can
 * load it, else over Gloo. Every rank calls the same collectives in the same order; each returns when its result is there, on
 * a GPU too. If a rank is gone or exceeds the group's timeout, the collective fails in the other
 * ranks with a {@link CommunicationException}; the group is unusable afterwards.
 * Closing it does not interrupt a running collective; {@link #abort} does.
 */
public final class ProcessGroup extends NativeObject {
    /** How libtorch begins a failure to connect to another rank, which it raises as an error of its own. */
    private static final String NOT_CONNECTED = "Gloo connectFullMesh failed";

    private static final String CAN_USE_NCCL = "nccl";

    private final int rank;
    private final int worldSize;
    private final String backend;
    private final Optional<String> warning;

    private ProcessGroup(long handle, int rank, int worldSize, String backend, Optional<String> warning) {
        super("process group", handle, ProcessGroup::free);
        this.rank = rank;
        this.worldSize = worldSize;
        this.backend = backend;
        this.warning = warning;
    }

    /**
     * Joins the group; returns when all ranks have joined.
     *
     * @param store the rendezvous store; it must stay open as long as the group
     * @param host the host name or address at which the other ranks reach this one
     * @param timeout the limit for joining and for every later collective
     * @param device where the tensors are that this rank passes to collectives: a CPU, as on all ranks, or a GPU, which
     *     no other rank uses
     * @throws CommunicationException if a rank does not join within the timeout, or leaves before all have joined
     */
    public static ProcessGroup join(
            RendezvousStore store, int rank, int worldSize, String host, Duration timeout, Device device) {
        if (rank < 0 || rank >= worldSize) {
            throw new IllegalArgumentException("Cannot join as rank " + rank + " of " + worldSize);
        }
        if (!device.isGpu()) {
            return overGloo(store, rank, worldSize, host, timeout, device, Optional.empty());
        }
        Optional<String> obstacle = obstacleToNccl(store, rank, worldSize);
        if (obstacle.isPresent()) {
            return overGloo(store, rank, worldSize, host, timeout, device, obstacle);
        }
        return overNccl(store, rank, worldSize, timeout, device, NcclLibrary.factory());
    }

    /** Joins through a {@linkplain NcclLibrary#factoryIn library's function}. */
    static ProcessGroup overNccl(
            RendezvousStore store, int rank, int worldSize, Duration timeout, Device device, long factory) {
        long handle = store.apply(
                address -> joinNccl(address, rank, worldSize, device.getDeviceId(), timeout.toMillis(), factory));
        return new ProcessGroup(handle, rank, worldSize, "nccl", Optional.empty());
    }

    private static ProcessGroup overGloo(
            RendezvousStore store,
            int rank,
            int worldSize,
            String host,
            Duration timeout,
            Device device,
            Optional<String> obstacle) {
        try {
            long handle = store.apply(
                    address -> joinGloo(address, rank, worldSize, host, timeout.toMillis(), device.isGpu()));
            Optional<String> warning = obstacle.filter(reason -> worldSize > 1)
                    .map(reason ->
                            "What the GPUs exchange goes through host memory (Gloo), because NCCL cannot be used: "
                                    + reason);
            return new ProcessGroup(handle, rank, worldSize, "gloo", warning);
        } catch (NativeException e) {
            if (e.getMessage().startsWith(NOT_CONNECTED)) {
                throw new CommunicationException(e.getMessage());
            }
            throw e;
        }
    }

    /** Why not all ranks can use NCCL; the same on every rank, because each tells the others what it can. */
    private static Optional<String> obstacleToNccl(RendezvousStore store, int rank, int worldSize) {
        store.put(backendKey(rank), NcclLibrary.obstacle().orElse(CAN_USE_NCCL));
        for (int other = 0; other < worldSize; other++) {
            String told = store.await(backendKey(other));
            if (!told.equals(CAN_USE_NCCL)) {
                return Optional.of("rank " + other + ": " + told);
            }
        }
        return Optional.empty();
    }

    private static String backendKey(int rank) {
        return "backend/" + rank;
    }

    /** This rank, from 0. */
    public int rank() {
        return rank;
    }

    /** The number of ranks. */
    public int worldSize() {
        return worldSize;
    }

    /** What runs the collectives: {@code nccl} or {@code gloo}. */
    public String backend() {
        return backend;
    }

    /** What makes the collectives slower than they could be, in one line. */
    public Optional<String> warning() {
        return warning;
    }

    /** Replaces {@code tensor} on every rank by the sum over all ranks. */
    public void allReduceSum(NDArray tensor) {
        run(address -> allReduceSum(address, Handles.of(tensor)));
    }

    /** Replaces the tensors on every rank by those of {@code root}. */
    public void broadcast(Collection<NDArray> tensors, int root) {
        run(address -> broadcast(address, Handles.of(tensors), root));
    }

    /** Replaces one tensor on every rank by that of {@code root}. */
    public void broadcast(NDArray tensor, int root) {
        broadcast(List.of(tensor), root);
    }

    /** Waits for all ranks. */
    public void barrier() {
        run(ProcessGroup::barrier);
    }

    /** Waits for the collectives that a {@link GradientReducer} has begun, as far as it has not waited itself. */
    void awaitCollectives() {
        run(ProcessGroup::awaitCollectives);
    }

    /**
     * Fails this rank's running and later collectives with a {@link CommunicationException} at once, whatever the other ranks do. Any thread may call
     * it; does nothing if the group is closed.
     */
    public void abort() {
        runIfOpen(ProcessGroup::abort);
    }

    private static native long joinGloo(
            long store, int rank, int worldSize, String host, long timeoutMillis, boolean gpu);

    private static native long joinNccl(
            long store, int rank, int worldSize, int device, long timeoutMillis, long factory);

    private static native void allReduceSum(long group, long tensor);

    private static native void broadcast(long group, long[] tensors, int root);

    private static native void barrier(long group);

    private static native void awaitCollectives(long group);

    private static native void abort(long group);

    private static native void free(long group);
}
