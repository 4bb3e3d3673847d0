package io.github.rarspark.kernel.classifier;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.image.ImageBatches;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.List;

/** Trains a classifier on labelled images with cross-entropy and AdamW. */
public final class ClassifierTrainer implements AutoCloseable {
    /**
     * Training settings.
     *
     * @param steps total number of updates
     * @param batch images per update
     * @param learningRate the peak, reached after a twentieth of the steps and followed by cosine decay
     * @param seed of every random number
     */
    public record Settings(int steps, int batch, double learningRate, long seed) {}

    private static final AdamW.Settings OPTIMIZER = new AdamW.Settings(0.9, 0.99, 1e-8, 0.05, 1.0);

    private final Settings settings;
    private final ImageBatches batches;
    private final int[] labels;
    private final NamedTensors weights;
    private final Classifier classifier;
    private final AdamW optimizer;
    private final OptimizerStep optimizerStep;

    /**
     * Creates a trainer with weights drawn from the seed.
     *
     * @param images the training images, of the configuration's side
     * @param labels the class of each image
     * @throws DataException if a label is not in [0, classes)
     */
    public ClassifierTrainer(
            NDManager parent, ClassifierConfig config, Settings settings, List<RgbImage> images, int[] labels) {
        if (labels.length != images.size()
                || Arrays.stream(labels).anyMatch(label -> label < 0 || label >= config.classes())) {
            throw new DataException("Cannot train on " + labels.length + " labels of " + images.size()
                    + " images: expected one from 0 to " + (config.classes() - 1) + " for each");
        }
        this.settings = settings;
        this.batches = new ImageBatches(images, settings.batch(), settings.seed());
        this.labels = labels.clone();
        this.weights = NamedTensors.initial(config.table(), settings.seed(), parent);
        this.classifier = new Classifier(config, weights);
        TensorScope.requireGradients(weights.asMap().values());
        this.optimizer = new AdamW(
                weights.manager(),
                weights.asMap(),
                name -> weights.get(name).getShape().dimension() > 1,
                OPTIMIZER);
        this.optimizerStep = new OptimizerStep(
                optimizer, new LearningRate(settings.learningRate(), 0, settings.steps() / 20, settings.steps()));
    }

    /** Makes one update and returns the mean cross-entropy before it. */
    public double step() {
        long step = optimizer.steps();
        try (TensorScope scope = TensorScope.training(weights.manager())) {
            NDArray x_BCHW = scope.floats(batches.pixels(step), batches.shape());
            long[] targets = Arrays.stream(batches.samples(step))
                    .mapToLong(sample -> labels[sample])
                    .toArray();
            NDArray logits_BK = classifier.logits(scope, classifier.features(scope, x_BCHW));
            NDArray loss = scope.crossEntropy(logits_BK, scope.longs(targets, targets.length));
            double value = loss.getFloat();
            if (!Double.isFinite(value)) {
                throw new NumericException("The classifier's loss is " + value + " at step " + step);
            }
            scope.backward(loss);
            optimizerStep.run();
            return value;
        }
    }

    /** The number of updates made so far. */
    public long steps() {
        return optimizer.steps();
    }

    /** The classifier as trained so far; owned by this trainer. */
    public Classifier classifier() {
        return classifier;
    }

    @Override
    public void close() {
        optimizer.close();
        weights.close();
    }
}
