package io.github.rarspark.fid;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.metrics.GaussianStatistics;
import io.github.rarspark.kernel.metrics.InceptionScore;
import io.github.rarspark.kernel.metrics.Moments;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The features of a whole set, outside the heap, and what is summed over its images in their order. Driver only; not
 * thread-safe.
 */
final class SetFeatures implements AutoCloseable {
    private static final int CHUNK_ROWS = 1024;

    private final String option;
    private final NDManager manager;
    private final NDArray features_ND;
    private final long halvesSeed;
    private final List<FeatureRow> chunk = new ArrayList<>();
    private final List<Moments> halves;
    private final Moments spatial;
    private final InceptionScore inceptionScore;
    private final TreeMap<Integer, Long> imagesOfClass = new TreeMap<>();
    private long rows;
    private long agreeing;

    private SetFeatures(
            String option, FeatureNetwork network, long images, int splitImages, long halvesSeed, NDManager parent) {
        this.option = option;
        this.halvesSeed = halvesSeed;
        this.halves = List.of(Moments.empty(network.features()), Moments.empty(network.features()));
        this.spatial = Moments.empty(network.spatialFeatures());
        this.inceptionScore = new InceptionScore(network.classes(), splitImages);
        this.manager = parent.newSubManager();
        try (TensorScope s = TensorScope.inference(manager)) {
            this.features_ND = s.keep(s.zeros(images, network.features()));
        }
    }

    /**
     * Reads the features of a set.
     *
     * @param option that names the set, for messages
     * @param splitImages images of a split of the Inception Score
     * @param halvesSeed of the division into halves
     * @throws DataException if there are fewer than two images, or not as many as the set was said to have
     */
    static SetFeatures read(
            String option,
            FeatureStore store,
            FeatureStore.Features features,
            int splitImages,
            long halvesSeed,
            NDManager parent)
            throws IOException {
        if (features.images() < 2) {
            throw new DataException("Cannot score " + option + ": " + features.images()
                    + " images are too few for a covariance; give two or more");
        }
        SetFeatures set = new SetFeatures(option, store.network(), features.images(), splitImages, halvesSeed, parent);
        try {
            for (String shard : features.shards()) {
                FeatureShard.ROWS.read(store.context().storage(), shard, set::add);
            }
            set.flush();
            if (set.rows != features.images()) {
                throw new DataException("Cannot score " + option + ": it has " + set.rows + " images instead of "
                        + features.images() + "; was it changed while the job ran?");
            }
            return set;
        } catch (IOException | RuntimeException | Error e) {
            set.close();
            throw e;
        }
    }

    private void add(FeatureRow row) {
        chunk.add(row);
        double[] logits = new double[row.logits().length];
        for (int c = 0; c < logits.length; c++) {
            logits[c] = row.logits()[c];
        }
        inceptionScore.add(logits, 0);
        if (row.classId() >= 0) {
            imagesOfClass.merge(row.classId(), 1L, Long::sum);
            agreeing += row.classId() == row.predictedClass() ? 1 : 0;
        }
        if (chunk.size() == CHUNK_ROWS) {
            flush();
        }
    }

    private void flush() {
        for (int half = 0; half < halves.size(); half++) {
            int wanted = half;
            List<FeatureRow> members =
                    chunk.stream().filter(row -> halfOf(row) == wanted).toList();
            add(halves.get(half), members, FeatureRow::features);
        }
        add(spatial, chunk, FeatureRow::spatial);
        // A set that grew since it was listed is refused when all is read.
        int fitting = (int) Math.min(chunk.size(), features_ND.getShape().get(0) - rows);
        if (fitting > 0) {
            try (TensorScope s = TensorScope.inference(manager)) {
                float[] values = join(chunk.subList(0, fitting), FeatureRow::features);
                NDArray chunk_RD = s.floats(values, fitting, values.length / fitting);
                s.copy(s.narrow(features_ND, 0, rows, fitting), chunk_RD);
            }
        }
        rows += chunk.size();
        chunk.clear();
    }

    private int halfOf(FeatureRow row) {
        return RandomStream.of(halvesSeed, Purpose.SPLIT, row.index()).nextInt(halves.size());
    }

    private void add(Moments moments, List<FeatureRow> some, Function<FeatureRow, float[]> vector) {
        if (moments.width() > 0) {
            moments.add(Moments.of(manager, join(some, vector), moments.width()));
        }
    }

    private static float[] join(List<FeatureRow> some, Function<FeatureRow, float[]> vector) {
        FloatBuffer joined = FloatBuffer.allocate(
                some.stream().mapToInt(row -> vector.apply(row).length).sum());
        some.forEach(row -> joined.put(vector.apply(row)));
        return joined.array();
    }

    /** The features of all images, float32, in their order. */
    NDArray features_ND() {
        return features_ND;
    }

    /** How many images there are. */
    long images() {
        return rows;
    }

    /** Mean and covariance of the features. */
    GaussianStatistics statistics() {
        Moments all = Moments.empty(halves.get(0).width());
        halves.forEach(all::add);
        return all.statistics();
    }

    /**
     * Mean and covariance of the features of the images in a random half.
     *
     * @param half 0 or 1
     * @throws DataException if it has fewer than two images
     */
    GaussianStatistics statisticsOfHalf(int half) {
        if (halves.get(half).count() < 2) {
            throw new DataException(
                    "Cannot divide " + option + " of " + rows + " images into halves: give more or omit fid.floor");
        }
        return halves.get(half).statistics();
    }

    /** Mean and covariance of the spatial features. */
    GaussianStatistics spatialStatistics() {
        return spatial.statistics();
    }

    /** The mean Inception Score of consecutive splits. */
    double inceptionScore() {
        return inceptionScore.mean();
    }

    /** How many images each class has; empty if no class is known. */
    Map<Integer, Long> imagesOfClass() {
        return Collections.unmodifiableMap(imagesOfClass);
    }

    /** The share of the images with a class that the network gives this class; empty if there are none. */
    OptionalDouble agreement() {
        long labelled =
                imagesOfClass.values().stream().mapToLong(Long::longValue).sum();
        return labelled == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) agreeing / labelled);
    }

    @Override
    public void close() {
        manager.close();
    }
}
