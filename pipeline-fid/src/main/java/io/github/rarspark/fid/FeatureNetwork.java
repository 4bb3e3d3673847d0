package io.github.rarspark.fid;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.Locale;

/**
 * The network whose features are compared; sent to the tasks.
 *
 * @param kind which network it is
 * @param name a readable name, such as {@code fashion classifier}
 * @param weights its weights
 * @param side of the images in pixels
 * @param features how many an image has
 * @param spatialFeatures how many an image has; 0 if the network has none
 * @param number of classes
 */
record FeatureNetwork(
        Kind kind, String name, WeightFile weights, int side, int features, int spatialFeatures, int classes)
        implements Serializable {
    /** The side of the images in published tables. */
    private static final int INCEPTION_SIDE = 256;

    private static final String NAME = "name";

    /** The kinds of networks; the prefix of the weights in {@code fid.features} is derived from the name. */
    enum Kind {
        /** A classifier of {@code train-classifier}. */
        CLASSIFIER(WeightContent.Kind.CLASSIFIER),
        /** Inception v3 of 2015-12-05. */
        INCEPTION(WeightContent.Kind.INCEPTION);

        private final WeightContent.Kind content;

        Kind(WeightContent.Kind content) {
            this.content = content;
        }

        /**
         * Checks that a file does not hold another kind's weights.
         *
         * @throws DataException if it does; the message names the prefix to use, if there is one
         */
        private void require(TensorFile file, String features) {
            WeightContent found = WeightContent.of(file.tensors());
            for (Kind other : values()) {
                if (other != this && other.content == found.kind()) {
                    throw new DataException("Cannot use --features " + features + ": it is " + found.description()
                            + "; give " + other.prefix() + features.substring(prefix().length()));
                }
            }
            WeightContent.require(content, file, "--features");
        }

        private String prefix() {
            return name().toLowerCase(Locale.ROOT) + ":";
        }
    }

    /**
     * The network that {@code features} names.
     *
     * @param side of the images in pixels; 0 for the network's own size
     * @throws JobException {@link ExitCode#USAGE} if the kind is unknown
     * @throws DataException if the file does not hold its weights, or it does not take images of this side
     */
    static FeatureNetwork of(Storage storage, String features, int side) throws IOException {
        for (Kind kind : Kind.values()) {
            if (features.startsWith(kind.prefix())) {
                String path = features.substring(kind.prefix().length());
                WeightFile weights = WeightFile.given(storage, "--features", path);
                TensorFile file = weights.read(storage);
                kind.require(file, features);
                return switch (kind) {
                    case CLASSIFIER -> classifier(weights, file, side);
                    case INCEPTION -> inception(weights, file, side);
                };
            }
        }
        throw new JobException(
                ExitCode.USAGE,
                "Cannot use --features " + features + ": expected " + Kind.INCEPTION.prefix() + "URI or "
                        + Kind.CLASSIFIER.prefix() + "URI with the network's weights");
    }

    private static FeatureNetwork classifier(WeightFile weights, TensorFile file, int side) {
        ClassifierConfig config = ClassifierConfig.of(file);
        WeightContent.require(config.table(), file);
        if (side != 0 && side != config.side()) {
            throw new DataException("Cannot compute features of " + side + " pixel images with " + weights.path()
                    + ": it expects " + config.side() + " pixels; omit fid.image_size");
        }
        return new FeatureNetwork(
                Kind.CLASSIFIER,
                file.metadata().getOrDefault(NAME, "classifier"),
                weights,
                config.side(),
                config.features(),
                0,
                config.classes());
    }

    private static FeatureNetwork inception(WeightFile weights, TensorFile file, int side) {
        WeightContent.require(InceptionV3.table(), file);
        return new FeatureNetwork(
                Kind.INCEPTION,
                "Inception v3 of 2015-12-05",
                weights,
                side == 0 ? INCEPTION_SIDE : side,
                InceptionV3.FEATURES,
                InceptionV3.SPATIAL_FEATURES,
                InceptionV3.CLASSES);
    }
}
