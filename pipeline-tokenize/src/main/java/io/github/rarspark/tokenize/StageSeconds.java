package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.PreparationSeconds;
import java.io.Serializable;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the time of tasks went, in seconds of all threads of a stage. A task has one thread that encodes and writes, a pool
 * of them that reads, decodes and scales, and one that reads what cannot be read by several.
 *
 * @param images the number of images, including those that cannot be used
 * @param streaming reading by the one thread
 * @param reading by the pool
 * @param decoding by the pool
 * @param scaling to the sources of the crops, by the pool
 * @param encoding including the cut of the crops
 * @param writing including all else that the encoding thread did
 * @param waiting for images, by the encoding thread
 * @param tasks the time of tasks
 * @param pools the time of tasks, times the threads of their pools
 */
record StageSeconds(
        long images,
        double streaming,
        double reading,
        double decoding,
        double scaling,
        double encoding,
        double writing,
        double waiting,
        double tasks,
        double pools)
        implements Serializable {
    static final StageSeconds NONE = new StageSeconds(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** Those of a task of {@code seconds} whose pool had {@code threads}. */
    static StageSeconds of(long images, PreparationSeconds pool, int threads, double encoding, double seconds) {
        return new StageSeconds(
                images,
                pool.streaming(),
                pool.reading(),
                pool.decoding(),
                pool.preparing(),
                encoding,
                seconds - encoding - pool.taking(),
                pool.taking(),
                seconds,
                threads * seconds);
    }

    /** Those of both. */
    StageSeconds plus(StageSeconds other) {
        return new StageSeconds(
                images + other.images,
                streaming + other.streaming,
                reading + other.reading,
                decoding + other.decoding,
                scaling + other.scaling,
                encoding + other.encoding,
                writing + other.writing,
                waiting + other.waiting,
                tasks + other.tasks,
                pools + other.pools);
    }

    /** The images that one thread does per second of a stage, and the part of the time that encoding waited. */
    Map<String, Double> metrics() {
        Map<String, Double> metrics = new TreeMap<>();
        if (images > 0) {
            metrics.put("read_images_per_second", images / (streaming + reading));
            metrics.put("decode_images_per_second", images / decoding);
            metrics.put("scale_images_per_second", images / scaling);
            metrics.put("encode_images_per_second", images / encoding);
            metrics.put("write_images_per_second", images / writing);
            metrics.put("encoding_waited", waiting / tasks);
            // JSON has no infinity: of images that are all bad, none was encoded.
            metrics.values().removeIf(value -> !Double.isFinite(value));
        }
        return metrics;
    }

    /**
     * Which stage limited the speed, and what to raise: the one that had the least time without work.
     *
     * @param gpu whether GPUs encoded
     */
    String bottleneck(boolean gpu) {
        double poolIdle = 1 - (reading + decoding + scaling) / pools;
        double streamIdle = 1 - streaming / tasks;
        double encoderIdle = waiting / tasks;
        String waited = String.format(
                Locale.ROOT, "encoding waited %.0f %% of the time for images; to go faster, ", 100 * encoderIdle);
        if (encoderIdle <= Math.min(poolIdle, streamIdle)) {
            return "encoding limited the speed: " + waited
                    + (gpu
                            ? "use more GPUs, or raise tokenize.batch"
                            : "use more cores: executors, or spark.executor.cores");
        }
        if (streamIdle < poolIdle) {
            return "reading limited the speed: " + waited
                    + "run more tasks at a time (spark.executor.cores, or more executors)";
        }
        return reading > decoding + scaling
                ? "reading limited the speed: " + waited + "raise tokenize.decode_threads"
                : "decoding limited the speed: " + waited
                        + "raise the cores of a task (spark.task.cpus, or spark.executor.cores for each GPU) and"
                        + " tokenize.decode_threads";
    }
}
