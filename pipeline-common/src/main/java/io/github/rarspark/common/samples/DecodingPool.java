package io.github.rarspark.common.samples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
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
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Decodes tokens to images, always in 32 bits. Each image is decoded alone on one thread, so that its pixels depend on
 * neither the other images nor the number of threads; the threads of the pool decode different ones.
 *
 * <p>T tokens of an image, C channels, H height, W width.
 */
public final class DecodingPool implements AutoCloseable {
    /** More than the decoding of an image takes, which cannot be interrupted. */
    private static final Duration END = Duration.ofMinutes(2);

    private final ExecutorService threads;
    private final Function<long[], RgbImage> decoder;

    /**
     * Starts the threads.
     *
     * @param tokenizer must stay open until this pool is closed
     */
    public DecodingPool(Vqgan tokenizer, int threads) {
        this(threads, tokens_T -> decode(tokenizer, tokens_T));
    }

    DecodingPool(int threads, Function<long[], RgbImage> decoder) {
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

    /** Images that are being decoded. */
    public final class Decoding {
        private final long[][] tokens;
        private final List<Future<RgbImage>> images = new ArrayList<>();

        private Decoding(long[][] tokens) {
            this.tokens = tokens;
            Arrays.stream(tokens).forEach(row -> images.add(threads.submit(() -> decoder.apply(row))));
        }

        /**
         * Waits for the images. Those for which there was not enough memory beside the others are decoded again, one at a
         * time.
         *
         * @throws NativeMemoryException if there is not enough memory for one image
         */
        public List<RgbImage> images() {
            List<Integer> again = new ArrayList<>();
            List<RgbImage> all = new ArrayList<>();
            for (int i = 0; i < tokens.length; i++) {
                try {
                    all.add(get(images.get(i)));
                } catch (NativeMemoryException e) {
                    all.add(null);
                    again.add(i);
                }
            }
            for (int i : again) {
                long[] row = tokens[i];
                all.set(i, get(threads.submit(() -> decoder.apply(row))));
            }
            return all;
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

    private static RgbImage decode(Vqgan tokenizer, long[] tokens_T) {
        try (TensorScope s = TensorScope.inference(tokenizer.weights().manager())) {
            NDArray pixels_1CHW = tokenizer.decode(s, s.longs(tokens_T, 1, tokens_T.length));
            Shape shape = pixels_1CHW.getShape();
            return Pixels.toImages(pixels_1CHW.toFloatArray(), (int) shape.get(3), (int) shape.get(2))
                    .get(0);
        }
    }

    private static RgbImage get(Future<RgbImage> image) {
        try {
            return image.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("Cannot decode an image", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while decoding images", e);
        }
    }

    /** Ends the threads; what is not decoded yet is given up. */
    @Override
    public void close() {
        threads.shutdownNow();
        boolean interrupted = Thread.interrupted();
        try {
            if (!threads.awaitTermination(END.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("Decoding an image has not ended within " + END.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
