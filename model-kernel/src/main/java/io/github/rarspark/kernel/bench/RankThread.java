package io.github.rarspark.kernel.bench;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A rank that is a thread of this process. */
final class RankThread implements LocalRanks.Peer {
    private final FutureTask<Void> task;
    private final Thread thread;

    private RankThread(LocalRanks.Seat seat, LocalRanks.Work<?> work) {
        this.task = new FutureTask<>(() -> seat.take(work, () -> {}), null);
        this.thread = new Thread(task, "rank-" + seat.rank());
    }

    static RankThread start(LocalRanks.Seat seat, LocalRanks.Work<?> work) {
        RankThread rank = new RankThread(seat, work);
        rank.thread.setDaemon(true);
        rank.thread.start();
        return rank;
    }

    @Override
    public void await() {
        try {
            task.get(LocalRanks.TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("A rank did not end within " + LocalRanks.TIMEOUT, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The wait for a rank was interrupted", e);
        }
    }

    /** A thread cannot be ended: it ends at its next collective, because rank 0 has left the group. */
    @Override
    public void close() {
        try {
            thread.join(LocalRanks.TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
