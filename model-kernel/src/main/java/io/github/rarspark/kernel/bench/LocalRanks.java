package io.github.rarspark.kernel.bench;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.dist.RendezvousStore;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.tensor.DeterministicMode;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs the same work on several ranks of this machine, which are joined as those of a training are. */
final class LocalRanks {
    /** The limit for joining and for every collective. */
    static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final String HOST = "127.0.0.1";

    private LocalRanks() {}

    /** What each rank does; it is sent to ranks that are processes. */
    interface Work<R> extends Serializable {
        /** @param manager parent of the rank's tensors */
        R run(ProcessGroup group, NDManager manager);
    }

    /** A rank other than 0. */
    interface Peer extends AutoCloseable {
        /**
         * Waits for the rank's end, within {@link #TIMEOUT}.
         *
         * @throws RuntimeException if the rank failed
         */
        void await();

        /** Ends the rank, if it has not ended; waits for its end, within {@link #TIMEOUT}. */
        @Override
        void close();
    }

    /**
     * Runs the work on all ranks, rank 0 on the calling thread.
     *
     * @param request its ranks, threads and devices
     * @return the result of rank 0
     */
    static <R> R run(BenchRequest request, Work<R> work) {
        BenchRequest.Ranks ranks = request.ranks();
        List<Peer> peers = new ArrayList<>();
        try (RendezvousStore store = RendezvousStore.serve(HOST, TIMEOUT)) {
            for (int rank = 1; rank < ranks.count(); rank++) {
                Seat seat = new Seat(request, rank, store.port());
                peers.add(ranks.processes() ? RankProcess.start(seat, work) : RankThread.start(seat, work));
            }
            R result;
            try {
                result = join(store, 0, request, work);
            } catch (CommunicationException e) {
                peers.forEach(Peer::await); // the failure of another rank is the cause
                throw e;
            }
            peers.forEach(Peer::await);
            return result;
        } finally {
            peers.forEach(Peer::close);
        }
    }

    /** Runs the work as the only rank of a group. */
    static <R> R alone(NDManager manager, Work<R> work) {
        try (RendezvousStore store = RendezvousStore.serve(HOST, TIMEOUT);
                ProcessGroup group = ProcessGroup.join(store, 0, 1, HOST, TIMEOUT, manager.getDevice())) {
            return work.run(group, manager);
        }
    }

    private static <R> R join(RendezvousStore store, int rank, BenchRequest request, Work<R> work) {
        Torch.setIntraOpThreads(request.threads());
        try (DeterministicMode deterministic = DeterministicMode.open();
                NDManager manager = NDManager.newBaseManager(request.device(rank));
                ProcessGroup group =
                        ProcessGroup.join(store, rank, request.ranks().count(), HOST, TIMEOUT, manager.getDevice())) {
            return work.run(group, manager);
        }
    }

    /**
     * The place of a rank other than 0.
     *
     * @param port of rank 0's store
     */
    record Seat(BenchRequest request, int rank, int port) implements Serializable {
        /** Connects to rank 0's store, calls {@code connected}, joins the group and runs the work. */
        void take(Work<?> work, Runnable connected) {
            try (RendezvousStore store = RendezvousStore.connect(HOST, port, TIMEOUT)) {
                connected.run();
                join(store, rank, request, work);
            }
        }
    }
}
