package io.github.rarspark.fid;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.spark.WeightFile;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.weights.SafetensorsFile;
import java.io.IOException;
import java.io.Serializable;

/**
 * The network whose features are compared; sent to the tasks.
 *
 * @param name what its weight file calls it, such as {@code fashion classifier}
 * @param weights its weights
 * @param side of its input in pixels
 * @param width the number of features
 * @param classes that it tells apart
 */
record FeatureNetwork(String name, WeightFile weights, int side, int width, int classes) implements Serializable {
    private static final String CLASSIFIER = "classifier:";
    private static final String NAME = "name";

    /**
     * The network that {@code features} names.
     *
     * @throws JobException {@link ExitCode#USAGE} if it is of no known kind
     * @throws io.github.rarspark.kernel.error.DataException if the file does not hold its weights
     */
    static FeatureNetwork of(Storage storage, String features) throws IOException {
        if (!features.startsWith(CLASSIFIER)) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot use --features " + features + ": expected " + CLASSIFIER + "URI with the weights of a"
                            + " classifier");
        }
        String path = features.substring(CLASSIFIER.length());
        PreFlight.requireInput(storage, "--features", path);
        WeightFile weights = WeightFile.of(storage, path);
        SafetensorsFile file = weights.read(storage);
        ClassifierConfig config = ClassifierConfig.of(file);
        config.table().check(path, file.tensors());
        return new FeatureNetwork(
                file.metadata().getOrDefault(NAME, "classifier"),
                weights,
                config.side(),
                config.features(),
                config.classes());
    }
}
