package io.github.rarspark.fid;

import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.metrics.Moments;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Computes the moments of a part's features, in a task.
 *
 * @param storage where the images lie
 * @param network that gives the features
 * @param batch images that go through it together
 * @param threads of libtorch
 * @param halves 2 to divide the images at random into halves, else 1
 * @param seed of that division
 */
record PartTask(Storage storage, FeatureNetwork network, int batch, int threads, int halves, long seed)
        implements UnitTasks.Work<PartTask.Unit, PartTask.Result> {
    /** Rows whose moments are computed at once: bounds the memory of a task whatever its part. */
    private static final int CHUNK_ROWS = 1024;

    /**
     * A part of a set.
     *
     * @param number of the part
     * @param firstImage the number in the set of its first image
     * @param part the images
     */
    record Unit(int number, long firstImage, ImageSet.Part part) implements Serializable {}

    /**
     * What is known about a part.
     *
     * @param number of the part
     * @param moments of each half
     * @param labelled images with a class
     * @param agreeing those whose class is what the network says
     */
    record Result(int number, List<Moments> moments, long labelled, long agreeing) implements Serializable {}

    @Override
    public Result run(Unit unit) throws IOException {
        Torch.setIntraOpThreads(threads);
        try (FeatureExtractor extractor = FeatureExtractor.open(network, storage)) {
            Run run = new Run(unit, extractor);
            unit.part().read(storage, run::add);
            return run.finish();
        }
    }

    /** One part on its way through the network. */
    private final class Run {
        private final Unit unit;
        private final FeatureExtractor extractor;
        private final List<RgbImage> images = new ArrayList<>();
        private final List<Integer> classes = new ArrayList<>();
        private final List<Chunk> chunks;
        private long next;
        private long labelled;
        private long agreeing;

        Run(Unit unit, FeatureExtractor extractor) {
            this.unit = unit;
            this.extractor = extractor;
            this.next = unit.firstImage();
            this.chunks = IntStream.range(0, halves)
                    .mapToObj(half -> new Chunk(extractor, network.width()))
                    .toList();
        }

        void add(RgbImage image, int classId) {
            images.add(image);
            classes.add(classId);
            if (images.size() == batch) {
                compute();
            }
        }

        Result finish() {
            if (!images.isEmpty()) {
                compute();
            }
            return new Result(unit.number(), chunks.stream().map(Chunk::finish).toList(), labelled, agreeing);
        }

        private void compute() {
            UnitTasks.endIfKilled();
            FeatureExtractor.Batch result = extractor.extract(images);
            for (int i = 0; i < images.size(); i++) {
                int half = halves == 1
                        ? 0
                        : RandomStream.of(seed, Purpose.SPLIT, next).nextInt(halves);
                chunks.get(half).add(result.features(), i);
                next++;
                if (classes.get(i) >= 0) {
                    labelled++;
                    agreeing += classes.get(i) == result.classes()[i] ? 1 : 0;
                }
            }
            images.clear();
            classes.clear();
        }
    }

    /** Collects rows, a chunk at a time. */
    private static final class Chunk {
        private final FeatureExtractor extractor;
        private final int width;
        private final float[] rows;
        private final Moments moments;
        private int filled;

        Chunk(FeatureExtractor extractor, int width) {
            this.extractor = extractor;
            this.width = width;
            this.rows = new float[CHUNK_ROWS * width];
            this.moments = Moments.empty(width);
        }

        void add(float[] features, int row) {
            System.arraycopy(features, row * width, rows, filled * width, width);
            filled++;
            if (filled == CHUNK_ROWS) {
                flush();
            }
        }

        Moments finish() {
            flush();
            return moments;
        }

        private void flush() {
            float[] full = Arrays.copyOf(rows, filled * width);
            moments.add(Moments.of(extractor.manager(), full, width));
            filled = 0;
        }
    }
}
