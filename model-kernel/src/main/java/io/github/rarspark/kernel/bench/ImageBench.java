package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.Resampler;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * What happens to an image before it is encoded, on the CPU: decoding, and its ten crops of 256 pixels. The image is a
 * file, or made: a coarse random picture, enlarged, with grain, as a JPEG of quality 90 and 4:2:0.
 */
public final class ImageBench {
    private static final int CROP = 256;
    private static final int COARSENESS = 16;
    private static final int GRAIN = 16;
    private static final float QUALITY = 0.9f;
    /** Until the JVM has compiled what is measured. */
    private static final long COMPILATION_NANOS = 2_000_000_000;

    private ImageBench() {}

    /** A file's bytes to pixels. */
    public static ImageBenchReport jpeg(BenchRequest request) {
        byte[] file = file(request);
        ImageDecoder decoder = new ImageDecoder();
        decoder.decode(file, request.size());
        return measure("jpeg", request, file.length, () -> decoder.decode(file, request.size()));
    }

    /** Pixels to ten crops. */
    public static ImageBenchReport crops(BenchRequest request) {
        byte[] file = file(request);
        RgbImage image = new ImageDecoder().decode(file, request.size());
        return measure("crops", request, file.length, () -> CropSet.TEN_CROP.of(image, CROP));
    }

    private static ImageBenchReport measure(String what, BenchRequest request, int fileBytes, Runnable perImage) {
        if (request.gpu() >= 0) {
            throw new IllegalArgumentException(
                    "Cannot use --device " + request.deviceName() + " for " + what + ": it runs on the CPU");
        }
        long[] processorNanos = new long[request.warmup() + request.repeat()];
        ExecutorService pool = Executors.newFixedThreadPool(request.threads());
        try {
            long compiled = System.nanoTime() + COMPILATION_NANOS;
            while (System.nanoTime() < compiled) {
                run(pool, request, perImage);
            }
            double[] seconds = Timing.run(request, number -> processorNanos[number] = run(pool, request, perImage));
            return ImageBenchReport.of(what, request, fileBytes, seconds, processorNanos);
        } finally {
            pool.shutdownNow();
        }
    }

    /** Works on a batch on every thread; returns the nanoseconds of processor time. */
    private static long run(ExecutorService pool, BenchRequest request, Runnable perImage) {
        List<Future<Long>> threads = new ArrayList<>();
        for (int thread = 0; thread < request.threads(); thread++) {
            threads.add(pool.submit(() -> {
                long start = processorNanos();
                for (int i = 0; i < request.batch(); i++) {
                    perImage.run();
                }
                return processorNanos() - start;
            }));
        }
        long nanos = 0;
        try {
            for (Future<Long> thread : threads) {
                nanos += thread.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("A thread of the benchmark failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The benchmark was interrupted", e);
        }
        return nanos;
    }

    private static long processorNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static byte[] file(BenchRequest request) {
        String size = request.size();
        try {
            if (size.matches("\\d{1,4}x\\d{1,4}")) {
                int x = size.indexOf('x');
                return photo(Integer.parseInt(size.substring(0, x)), Integer.parseInt(size.substring(x + 1)));
            }
            Path file = Path.of(size);
            if (Files.isRegularFile(file)) {
                return Files.readAllBytes(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read --size " + size, e);
        }
        throw new IllegalArgumentException(
                "Cannot use --size " + size + ": give WIDTHxHEIGHT of at most 4 digits each, or an image file");
    }

    /** Smooth shapes with grain, about as large a file as a photograph of that size. */
    private static byte[] photo(int width, int height) throws IOException {
        RandomStream random = RandomStream.of(0, Purpose.SPLIT);
        RgbImage coarse = noise(random, 1 + width / COARSENESS, 1 + height / COARSENESS);
        byte[] pixels = Resampler.resize(coarse, width, height, Resampler.Filter.BICUBIC)
                .pixels();
        BufferedImage photo = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        for (int i = 0; i < width * height; i++) {
            int grain = random.nextInt(GRAIN) + random.nextInt(GRAIN) - GRAIN;
            int rgb = 0;
            for (int c = 0; c < RgbImage.CHANNELS; c++) {
                int value = (pixels[RgbImage.CHANNELS * i + c] & 0xff) + grain;
                rgb = rgb << Byte.SIZE | Math.max(0, Math.min(255, value));
            }
            photo.setRGB(i % width, i / width, rgb);
        }
        return write(photo);
    }

    private static RgbImage noise(RandomStream random, int width, int height) {
        byte[] pixels = new byte[RgbImage.CHANNELS * width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) random.nextInt(256);
        }
        return new RgbImage(width, height, pixels);
    }

    private static byte[] write(BufferedImage image) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
            writer.setOutput(out);
            ImageWriteParam parameters = writer.getDefaultWriteParam();
            parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            parameters.setCompressionQuality(QUALITY);
            writer.write(null, new IIOImage(image, null, null), parameters);
        } finally {
            writer.dispose();
        }
        return file.toByteArray();
    }
}
