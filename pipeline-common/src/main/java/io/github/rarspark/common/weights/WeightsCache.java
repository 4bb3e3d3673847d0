package io.github.rarspark.common.weights;

import io.github.rarspark.common.Closeables;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.SparkSessions;
import java.io.Closeable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * Read-only weights that the tasks of an executor share. Values are loaded once per key, reference-counted while
 * leased, and kept when idle until another load needs the space: if the total would exceed the limit, the least
 * recently used are evicted first. Leased and most recently used values are never evicted, whatever the limit, so that
 * consecutive shards share them. Thread-safe.
 */
public final class WeightsCache {
    /**
     * The cache of this process, the only state that tasks share. The weights are off-heap; the heap is left to Spark.
     */
    private static final WeightsCache SHARED =
            new WeightsCache(() -> SparkSessions.weightsCacheBytes(conf()), () -> SparkSessions.waitLimit(conf()));

    private final LongSupplier limitBytes;
    private final Supplier<Duration> loadLimit;
    private final Map<Slot, Entry> entries = new HashMap<>();
    private long clock;

    /**
     * Creates an empty cache.
     *
     * @param limitBytes the limit of all values together, queried before each load
     * @param loadLimit how long to wait for another task's load
     */
    WeightsCache(LongSupplier limitBytes, Supplier<Duration> loadLimit) {
        this.limitBytes = limitBytes;
        this.loadLimit = loadLimit;
    }

    /** The cache of this executor. */
    public static WeightsCache shared() {
        return SHARED;
    }

    /** The configuration of the Spark session that this process belongs to. */
    private static SparkConf conf() {
        SparkEnv env = SparkEnv.get();
        return env == null ? new SparkConf(false) : env.conf();
    }

    /**
     * Identifies weights.
     *
     * @param kind what is built from them, such as {@code vqgan}; one file may serve several
     * @param sha256 the hash of the file
     * @param device their device, such as {@code cpu}
     */
    public record Key(String kind, String sha256, String device) {}

    /** Jobs that build different things from the same weights in one process do not get each other's. */
    private record Slot(Key key, Class<?> type) {}

    /** Reads weights. */
    @FunctionalInterface
    public interface Loader<T extends AutoCloseable> {
        /** Loads the value, which the cache will close. */
        T load() throws Exception;
    }

    /** A value in use; closing the lease releases it. */
    public interface Lease<T> extends AutoCloseable {
        /** The shared value, which the holder must not change or close. */
        T value();

        @Override
        void close();
    }

    /**
     * Leases the value of {@code key}, loading it if it is not cached. Concurrent callers with the same key wait for a
     * single load.
     *
     * @param type the value's type; other types are other values
     * @param bytes how much memory it takes
     * @throws IllegalStateException with the loader's exception as its cause
     * @throws JobException {@link ExitCode#TEMPORARY} if another task's load takes too long
     */
    public <T extends AutoCloseable> Lease<T> lease(Key key, Class<T> type, long bytes, Loader<? extends T> loader) {
        Slot slot = new Slot(key, type);
        Entry entry;
        boolean first;
        List<Entry> evicted = List.of();
        synchronized (this) {
            entry = entries.get(slot);
            first = entry == null;
            if (first) {
                entry = new Entry(bytes);
                entries.put(slot, entry);
            }
            entry.leases++;
            if (first) {
                evicted = evict();
            }
        }
        if (first) {
            load(entry, evicted, loader);
        }
        Duration limit = loadLimit.get();
        String failure = "Cannot load " + key.kind() + " weights";
        try {
            T value = type.cast(entry.value.get(limit.toMillis(), TimeUnit.MILLISECONDS));
            return new CountedLease<>(value, entry);
        } catch (ExecutionException e) {
            synchronized (this) {
                entries.remove(slot, entry);
            }
            throw new IllegalStateException(failure, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            giveBack(entry);
            throw new IllegalStateException(failure, e);
        } catch (TimeoutException e) {
            giveBack(entry);
            throw new JobException(
                    ExitCode.TEMPORARY,
                    failure + ": another task has not read them within " + limit.toSeconds()
                            + " s (spark.wait_seconds); look whether the storage answers, then run again",
                    e);
        }
    }

    /** The number of cached values, leased or idle. */
    synchronized int size() {
        return entries.size();
    }

    /** Evicts, then loads. Any failure is passed on to all who wait for this load. */
    private static void load(Entry entry, List<Entry> evicted, Loader<?> loader) {
        try {
            Closeables.closeAll(evicted);
            entry.value.complete(loader.load());
        } catch (Exception | Error e) {
            entry.value.completeExceptionally(e);
        }
    }

    /** Takes idle entries out until the rest fits, but for the last used; the caller closes them outside of the lock. */
    private List<Entry> evict() {
        List<Entry> evicted = new ArrayList<>();
        long total = entries.values().stream().mapToLong(e -> e.bytes).sum();
        long limit = limitBytes.getAsLong();
        while (total > limit) {
            Optional<Map.Entry<Slot, Entry>> idle = entries.entrySet().stream()
                    .filter(e -> e.getValue().leases == 0 && e.getValue().idleSince < clock)
                    .min(Comparator.comparingLong(e -> e.getValue().idleSince));
            if (idle.isEmpty()) {
                break;
            }
            entries.remove(idle.get().getKey());
            evicted.add(idle.get().getValue());
            total -= idle.get().getValue().bytes;
        }
        return evicted;
    }

    private synchronized void giveBack(Entry entry) {
        entry.leases--;
        entry.idleSince = ++clock;
    }

    private final class CountedLease<T> implements Lease<T> {
        private final T value;
        private final Entry entry;
        private boolean closed;

        CountedLease(T value, Entry entry) {
            this.value = value;
            this.entry = entry;
        }

        @Override
        public T value() {
            return value;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                giveBack(entry);
            }
        }
    }

    private static final class Entry implements Closeable {
        private final long bytes;
        private final CompletableFuture<AutoCloseable> value = new CompletableFuture<>();
        private int leases;
        private long idleSince;

        Entry(long bytes) {
            this.bytes = bytes;
        }

        @Override
        public void close() {
            try {
                value.join().close();
            } catch (Exception e) {
                throw new IllegalStateException("Cannot close weights", e);
            }
        }
    }
}
