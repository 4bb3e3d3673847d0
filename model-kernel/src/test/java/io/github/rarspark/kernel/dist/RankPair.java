package io.github.rarspark.kernel.dist;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** A group of two ranks that are threads of this process. */
final class RankPair implements AutoCloseable {
    private static final String HOST = "127.0.0.1";

    private final ExecutorService pool = Executors.newFixedThreadPool(2);
    private final List<Device> devices;
    private final RendezvousStore served;
    private final RendezvousStore connected;
    private final ProcessGroup first;
    private final ProcessGroup second;

    /** What a rank does with its group and a manager on its device. */
    interface Work<R> {
        R run(ProcessGroup group, NDManager manager) throws Exception;
    }

    /** How a rank joins the group. */
    interface Joining {
        ProcessGroup join(RendezvousStore store, int rank, Device device);
    }

    RankPair(Device ofFirst, Device ofSecond, Duration timeout) throws Exception {
        this(
                List.of(ofFirst, ofSecond),
                timeout,
                (store, rank, device) -> ProcessGroup.join(store, rank, 2, HOST, timeout, device));
    }

    RankPair(List<Device> devices, Duration timeout, Joining joining) throws Exception {
        this.devices = devices;
        served = RendezvousStore.serve(HOST, timeout);
        connected = RendezvousStore.connect(HOST, served.port(), timeout);
        Future<ProcessGroup> other = pool.submit(() -> joining.join(served, 0, devices.get(0)));
        second = joining.join(connected, 1, devices.get(1));
        first = other.get(60, TimeUnit.SECONDS);
    }

    ProcessGroup first() {
        return first;
    }

    ProcessGroup second() {
        return second;
    }

    ExecutorService pool() {
        return pool;
    }

    /** Has one rank do something. */
    <R> Future<R> begin(int rank, Work<R> work) {
        return pool.submit(() -> {
            try (NDManager manager = NDManager.newBaseManager(devices.get(rank))) {
                return work.run(rank == 0 ? first : second, manager);
            }
        });
    }

    /** Has both ranks do something at the same time; their results. */
    <R> List<R> both(Work<R> work) throws Exception {
        Future<R> other = begin(0, work);
        Future<R> own = begin(1, work);
        return List.of(other.get(60, TimeUnit.SECONDS), own.get(60, TimeUnit.SECONDS));
    }

    @Override
    public void close() {
        second.close();
        first.close();
        connected.close();
        served.close();
        pool.shutdownNow();
    }
}
