package io.github.rarspark.fid;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.conf.FidSettings;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.metrics.FrechetDistance;
import io.github.rarspark.kernel.metrics.GaussianStatistics;
import io.github.rarspark.kernel.metrics.KernelDistance;
import io.github.rarspark.kernel.metrics.PrecisionRecall;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The metrics of features against a reference. Driver only. */
final class Scores {
    private final FidSettings settings;
    private final long seed;
    private final NDManager manager;
    private final Runnable proceed;
    private final Map<String, Double> metrics = new TreeMap<>();

    /**
     * Creates the computation of metrics.
     *
     * @param seed of random subsets
     * @param manager below which tensors are made
     * @param proceed called between the metrics; what it throws ends the computation
     */
    Scores(FidSettings settings, long seed, NDManager manager, Runnable proceed) {
        this.settings = settings;
        this.seed = seed;
        this.manager = manager;
        this.proceed = proceed;
    }

    /** The metrics of a classifier: those that are meaningful for few images of few classes. */
    Map<String, Double> ofClassifier(SetFeatures samples, Reference reference, Optional<SetFeatures> images) {
        put(FidMetrics.DISTANCE, distance(samples, reference, images));
        samples.agreement().ifPresent(share -> put(FidMetrics.AGREEMENT, share));
        images.ifPresent(set -> floor(FidMetrics.FLOOR, set));
        return metrics;
    }

    /** The metrics of published tables. */
    Map<String, Double> ofInception(SetFeatures samples, Reference reference, Optional<SetFeatures> images) {
        put(FidMetrics.FID, distance(samples, reference, images));
        put(FidMetrics.INCEPTION_SCORE, samples.inceptionScore());
        reference
                .spatialStatistics()
                .or(() -> images.map(SetFeatures::spatialStatistics))
                .ifPresent(expected ->
                        put(FidMetrics.SFID, FrechetDistance.between(samples.spatialStatistics(), expected, manager)));
        images.ifPresent(set -> {
            floor(FidMetrics.FID_FLOOR, set);
            neighbours(samples, set);
            kernelDistance(samples, set);
        });
        return metrics;
    }

    private void put(String name, double value) {
        metrics.put(name, value);
        proceed.run();
    }

    private double distance(SetFeatures samples, Reference reference, Optional<SetFeatures> images) {
        GaussianStatistics expected =
                reference.statistics().orElseGet(() -> images.orElseThrow().statistics());
        return FrechetDistance.between(samples.statistics(), expected, manager);
    }

    private void floor(String name, SetFeatures images) {
        if (settings.floor()) {
            put(name, FrechetDistance.between(images.statisticsOfHalf(0), images.statisticsOfHalf(1), manager));
        }
    }

    private void neighbours(SetFeatures samples, SetFeatures images) {
        long fewest = Math.min(samples.images(), images.images());
        if (settings.neighbours() >= fewest) {
            throw new DataException("Cannot use fid.neighbours=" + settings.neighbours() + " with " + fewest
                    + " images; give more images");
        }
        PrecisionRecall result =
                PrecisionRecall.of(manager, images.features_ND(), samples.features_ND(), settings.neighbours());
        put(FidMetrics.PRECISION, result.precision());
        put(FidMetrics.RECALL, result.recall());
    }

    private void kernelDistance(SetFeatures samples, SetFeatures images) {
        int rows = (int) Math.min(settings.kidSubsetImages(), Math.min(samples.images(), images.images()));
        KernelDistance kid = KernelDistance.overSubsets(
                manager, samples.features_ND(), images.features_ND(), settings.kidSubsets(), rows, seed);
        put(FidMetrics.KID, kid.mean());
        put(FidMetrics.KID_DEVIATION, kid.deviation());
    }
}
