package io.github.rarspark.common.samples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.common.Closeables;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/**
 * Decodes tokens to images, always in 32 bits. On a CPU each image is decoded alone on one thread, so that its pixels depend
 * on neither the other images nor the number of threads; the threads of the pool decode different ones. On a GPU one
 * thread decodes {@value #GPU_GROUP} at a time, and their pixels depend on each other up to rounding: on how the caller cuts
 * them into batches, and on nothing else.
 *
 * <p>B images, T tokens of an image, C channels, H height, W width.
 */
public final class DecodingPool implements AutoCloseable {
    /** More than the decoding of an image takes, which cannot be interrupted. */
    private static final Duration END = Duration.ofMinutes(2);

    /** Bounds the memory: of an image of 256 pixels, one activation of the last level has 128 channels, or 34 MB. */
    private static final int GPU_GROUP = 16;

    private final ExecutorService threads;
    private final int group;
    private final Function<long[][], List<RgbImage>> decoder;

    /**
     * Starts the threads.
     *
     * @param tokenizer must stay open until this pool is closed
     * @param threads that decode on a CPU
     */
    public DecodingPool(Vqgan tokenizer, int threads) {
        this(
                isOnGpu(tokenizer) ? 1 : threads,
                isOnGpu(tokenizer) ? GPU_GROUP : 1,
                tokens_BT -> decode(tokenizer, tokens_BT));
    }

    /** @param group how many images the decoder gets at a time, at most */
    DecodingPool(int threads, int group, Function<long[][], List<RgbImage>> decoder) {
        this.group = group;
        this.decoder = decoder;
        this.threads = Executors.newFixedThreadPool(threads, work -> {
            Thread thread = new Thread(
                    () -> {
                        Torch.setIntraOpThreads(1);
                        work.run();
                    },
                    "decoding");
            thread.setDaemon(true);
            return thread;
        });
    }

    private static boolean isOnGpu(Vqgan tokenizer) {
        return tokenizer.weights().manager().getDevice().isGpu();
    }

    /** Images that are being decoded. */
    public final class Decoding {
        private final List<long[][]> groups = new ArrayList<>();
        private final List<Future<List<RgbImage>>> decoded = new ArrayList<>();

        private Decoding(long[][] tokens) {
            for (int first = 0; first < tokens.length; first += group) {
                groups.add(Arrays.copyOfRange(tokens, first, Math.min(tokens.length, first + group)));
            }
            groups.forEach(rows -> decoded.add(threads.submit(() -> decoder.apply(rows))));
        }

        /**
         * Waits for the images. Groups for which there was not enough memory beside the others are decoded again, one at a
         * time.
         *
         * @throws NativeMemoryException if there is not enough memory for one group
         */
        public List<RgbImage> images() {
            List<List<RgbImage>> all = new ArrayList<>();
            List<Integer> again = new ArrayList<>();
            for (int i = 0; i < groups.size(); i++) {
                try {
                    all.add(get(decoded.get(i)));
                } catch (NativeMemoryException e) {
                    all.add(List.of());
                    again.add(i);
                }
            }
            for (int i : again) {
                long[][] rows = groups.get(i);
                all.set(i, get(threads.submit(() -> decoder.apply(rows))));
            }
            return all.stream().flatMap(List::stream).toList();
        }
    }

    /** Starts to decode images, and does not wait for them. */
    public Decoding start(long[][] tokens) {
        return new Decoding(tokens);
    }

    /**
     * Decodes images.
     *
     * @throws NativeMemoryException as {@link Decoding#images} does
     */
    public List<RgbImage> decode(long[][] tokens) {
        return start(tokens).images();
    }

    private static List<RgbImage> decode(Vqgan tokenizer, long[][] tokens_BT) {
        try (TensorScope s = TensorScope.inference(tokenizer.weights().manager())) {
            long[] flat = Arrays.stream(tokens_BT).flatMapToLong(Arrays::stream).toArray();
            NDArray pixels_BCHW = tokenizer.decode(s, s.longs(flat, tokens_BT.length, tokens_BT[0].length));
            Shape shape = pixels_BCHW.getShape();
            return Pixels.toImages(pixels_BCHW.toFloatArray(), (int) shape.get(3), (int) shape.get(2));
        }
    }

    private static <T> T get(Future<T> images) {
        try {
            return images.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("Cannot decode images", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while decoding images", e);
        }
    }

    /** Ends the threads; what is not decoded yet is given up. */
    @Override
    public void close() {
        Closeables.end(threads, END, "Decoding an image");
    }
}
