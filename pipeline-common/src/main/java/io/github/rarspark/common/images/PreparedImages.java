package io.github.rarspark.common.images;

import io.github.rarspark.common.Closeables;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Reads, decodes and prepares the images of a unit on threads of its own, ahead of the thread that takes them in their
 * order. How far ahead is bounded in images and in bytes, and large images are decoded one at a time, so that memory does
 * not depend on what the images are.
 *
 * <p>One thread goes through the unit, the others prepare images. The first failure, in the order of the images, is thrown
 * where they are taken.
 *
 * @param <T> what an image is prepared to be
 */
public final class PreparedImages<T> implements AutoCloseable {
    /** More than the decoding of an image takes, which cannot be interrupted. */
    private static final Duration END = Duration.ofMinutes(2);

    private static final long POLL_MILLIS = 100;
    private static final long LARGE_PIXELS = 8_000_000;
    private static final int FILE_KIB = 64 << 10;

    private final Storage storage;
    private final ImageUnit unit;
    private final Labels labels;
    private final Function<RgbImage, T> prepare;
    private final ExecutorService threads;
    private final BlockingQueue<Future<Prepared<T>>> ahead;
    private final Future<Prepared<T>> end = CompletableFuture.completedFuture(null);
    private final Semaphore fileKib = new Semaphore(FILE_KIB);
    private final Lock largeImage = new ReentrantLock();
    private final PreparationClock clock = new PreparationClock();
    private final Future<Void> feeder;

    /**
     * Starts the threads.
     *
     * @param threads that prepare images
     * @param ahead the number of images that may be prepared before they are taken
     * @param prepare is called on these threads
     */
    public PreparedImages(
            Storage storage, ImageUnit unit, Labels labels, int threads, int ahead, Function<RgbImage, T> prepare) {
        this.storage = storage;
        this.unit = unit;
        this.labels = labels;
        this.prepare = prepare;
        this.ahead = new LinkedBlockingQueue<>(ahead);
        this.threads = Executors.newFixedThreadPool(threads + 1, work -> {
            Thread thread = new Thread(work, "images");
            thread.setDaemon(true);
            return thread;
        });
        this.feeder = this.threads.submit(this::feed);
    }

    /** An image, as a thread has prepared it, or what is wrong with it. */
    private record Prepared<T>(String id, int classId, T value, boolean oriented, BadImage bad) {}

    /** Receives images. */
    @FunctionalInterface
    public interface Sink<T> {
        /** Takes the next usable image. */
        void accept(String id, int classId, T image) throws IOException;
    }

    /**
     * Passes the usable images to {@code sink}, in order; to be called once.
     *
     * @return what was found out about the images
     * @throws IOException if the storage is unavailable; a single unreadable image counts as bad instead
     */
    public ImageFindings takeAll(Sink<T> sink) throws IOException {
        List<BadImage> bad = new ArrayList<>();
        long oriented = 0;
        for (Future<Prepared<T>> next = next(); next != end; next = next()) {
            Prepared<T> image = get(next);
            if (image.bad() != null) {
                bad.add(image.bad());
            } else {
                oriented += image.oriented() ? 1 : 0;
                sink.accept(image.id(), image.classId(), image.value());
            }
        }
        get(feeder);
        return new ImageFindings(bad, oriented);
    }

    /** Where the time went so far. */
    public PreparationSeconds seconds() {
        return clock.seconds();
    }

    // ---- the thread that takes ----

    /** A wait that a kill of the task ends; how long a read may last is up to the storage. */
    private Future<Prepared<T>> next() throws IOException {
        long start = System.nanoTime();
        try {
            while (true) {
                UnitTasks.endIfKilled();
                Future<Prepared<T>> next = ahead.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
                if (next != null) {
                    return next;
                }
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            clock.taking.add(System.nanoTime() - start);
        }
    }

    private <R> R get(Future<R> future) throws IOException {
        long start = System.nanoTime();
        try {
            while (true) {
                UnitTasks.endIfKilled();
                try {
                    return future.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    continue;
                }
            }
        } catch (ExecutionException e) {
            throw cause(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            clock.taking.add(System.nanoTime() - start);
        }
    }

    private static IOException cause(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        if (e.getCause() instanceof RuntimeException failure) {
            throw failure;
        }
        return e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
    }

    private static IOException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return (IOException) new InterruptedIOException("Interrupted while waiting for images").initCause(cause);
    }

    // ---- the other threads ----

    private Void feed() throws IOException, InterruptedException {
        long start = System.nanoTime();
        long[] handing = new long[1];
        try {
            unit.defer(storage, (bytes, image) -> {
                long from = System.nanoTime();
                hand(bytes, image);
                handing[0] += System.nanoTime() - from;
            });
        } finally {
            clock.streaming.add(System.nanoTime() - start - handing[0]);
            ahead.put(end);
        }
        return null;
    }

    private void hand(long bytes, ImageUnit.Deferred image) throws IOException {
        int kib = (int) Math.min(FILE_KIB, bytes / 1024 + 1);
        try {
            fileKib.acquire(kib);
            ahead.put(threads.submit(() -> {
                try {
                    return prepare(image);
                } finally {
                    fileKib.release(kib);
                }
            }));
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private Prepared<T> prepare(ImageUnit.Deferred deferred) throws IOException, InterruptedException {
        StoredImage stored;
        try (PreparationClock.Lap lap = clock.start(clock.reading)) {
            stored = deferred.read();
        }
        boolean large = stored.pixelsToDecode() > LARGE_PIXELS;
        if (large) {
            largeImage.lockInterruptibly();
        }
        try {
            RgbImage pixels;
            try (PreparationClock.Lap lap = clock.start(clock.decoding)) {
                pixels = UsableImages.decode(stored, labels);
            } catch (DataException e) {
                return new Prepared<>(
                        stored.id(), stored.classId(), null, false, new BadImage(stored.id(), e.getMessage()));
            }
            try (PreparationClock.Lap lap = clock.start(clock.preparing)) {
                return new Prepared<>(stored.id(), stored.classId(), prepare.apply(pixels), stored.isOriented(), null);
            }
        } finally {
            if (large) {
                largeImage.unlock();
            }
        }
    }

    /** Ends the threads; what is not taken is given up. */
    @Override
    public void close() {
        Closeables.end(threads, END, "Reading or decoding an image");
    }
}
