package io.github.rarspark.kernel.dist;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Handles;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/**
 * One rank's membership in a group that runs collectives (c10d's ProcessGroup over Gloo). Every rank calls the same
 * collectives in the same order. If a rank is gone or exceeds the group's timeout, the collective fails in the other
 * ranks with a {@link CommunicationException}; the group is unusable afterwards.
 * Closing it does not interrupt a running collective; {@link #abort} does.
 */
public final class ProcessGroup extends NativeObject {
    /** How libtorch begins a failure to connect to another rank, which it raises as an error of its own. */
    private static final String NOT_CONNECTED = "Gloo connectFullMesh failed";

    private final int rank;
    private final int worldSize;

    private ProcessGroup(long handle, int rank, int worldSize) {
        super("process group", handle, ProcessGroup::free);
        this.rank = rank;
        this.worldSize = worldSize;
    }

    /**
     * Joins the group; returns when all ranks have joined.
     *
     * @param store the rendezvous store; it must stay open as long as the group
     * @param host the host name or address at which the other ranks reach this one
     * @param timeout the limit for joining and for every later collective
     * @throws CommunicationException if a rank does not join within the timeout, or leaves before all have joined
     */
    public static ProcessGroup join(RendezvousStore store, int rank, int worldSize, String host, Duration timeout) {
        if (rank < 0 || rank >= worldSize) {
            throw new IllegalArgumentException("Cannot join as rank " + rank + " of " + worldSize);
        }
        try {
            long handle = store.apply(address -> join(address, rank, worldSize, host, timeout.toMillis()));
            return new ProcessGroup(handle, rank, worldSize);
        } catch (NativeException e) {
            if (e.getMessage().startsWith(NOT_CONNECTED)) {
                throw new CommunicationException(e.getMessage());
            }
            throw e;
        }
    }

    /** This rank, from 0. */
    public int rank() {
        return rank;
    }

    /** The number of ranks. */
    public int worldSize() {
        return worldSize;
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

    /**
     * Fails this rank's running and later collectives with a {@link CommunicationException} at once, whatever the other ranks do. Any thread may call
     * it; does nothing if the group is closed.
     */
    public void abort() {
        runIfOpen(ProcessGroup::abort);
    }

    private static native long join(long store, int rank, int worldSize, String host, long timeoutMillis);

    private static native void allReduceSum(long group, long tensor);

    private static native void broadcast(long group, long[] tensors, int root);

    private static native void barrier(long group);

    private static native void abort(long group);

    private static native void free(long group);
}
