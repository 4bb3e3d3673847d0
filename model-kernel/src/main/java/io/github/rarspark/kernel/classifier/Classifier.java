package io.github.rarspark.kernel.classifier;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.util.List;

/**
 * A convolutional classifier of square images.
 *
 * <p>B batch, C channels, H height, W width, D features, K classes.
 *
 * @param config the sizes
 * @param weights the tensors of {@link ClassifierConfig#table}; owned by this record
 */
public record Classifier(ClassifierConfig config, NamedTensors weights) implements AutoCloseable {
    private static final double NORM_EPS = 1e-5;

    /**
     * Loads a classifier from a weight file.
     *
     * @param parent the parent of the weights' manager; its device runs the model
     * @throws DataException if the file is not a classifier's
     */
    public static Classifier load(TensorFile file, NDManager parent) {
        ClassifierConfig config = ClassifierConfig.of(file);
        return new Classifier(config, NamedTensors.load(file, config.table(), parent));
    }

    /**
     * The last hidden layer [B, D], non-negative: what distances between sets of images are computed on.
     *
     * @param x_BCHW pixels [B, 3, side, side] in [0, 1]
     * @throws DataException if the images have another size
     */
    public NDArray features(TensorScope outer, NDArray x_BCHW) {
        Shape shape = x_BCHW.getShape();
        if (!shape.equals(new Shape(shape.get(0), 3, config.side(), config.side()))) {
            throw new DataException("Cannot classify pixels of shape " + shape + ": expected [B, 3, " + config.side()
                    + ", " + config.side() + "]");
        }
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = scope.affine(x_BCHW, 2, -1);
            int stages = config.widths().size();
            for (int stage = 0; stage < stages; stage++) {
                String name = "stage." + stage;
                h_BCHW = scope.conv2d(h_BCHW, weights.get(name + ".conv.weight"), null, 1, 1);
                h_BCHW = scope.groupNorm(
                        h_BCHW,
                        ClassifierConfig.NORM_GROUPS,
                        weights.get(name + ".norm.weight"),
                        weights.get(name + ".norm.bias"),
                        NORM_EPS);
                h_BCHW = scope.relu(h_BCHW);
                h_BCHW = stage < stages - 1 ? scope.averagePool(h_BCHW, 2, 2, 0) : h_BCHW;
            }
            return scope.keep(scope.relu(linear(scope, "hidden", scope.reshape(h_BCHW, shape.get(0), -1))));
        }
    }

    /** Logits [B, K] of features [B, D]. */
    public NDArray logits(TensorScope scope, NDArray features_BD) {
        return linear(scope, "head", features_BD);
    }

    /**
     * The fraction of images whose largest logit is that of their label.
     *
     * @param batch images computed at a time
     */
    public double accuracy(List<RgbImage> images, int[] labels, int batch) {
        int right = 0;
        for (int start = 0; start < images.size(); start += batch) {
            List<RgbImage> part = images.subList(start, Math.min(start + batch, images.size()));
            try (TensorScope scope = TensorScope.inference(weights.manager())) {
                NDArray x_BCHW = scope.floats(Pixels.toFloats(part), part.size(), 3, config.side(), config.side());
                long[] classes =
                        scope.argMax(logits(scope, features(scope, x_BCHW)), 1).toLongArray();
                for (int i = 0; i < classes.length; i++) {
                    right += classes[i] == labels[start + i] ? 1 : 0;
                }
            }
        }
        return (double) right / images.size();
    }

    private NDArray linear(TensorScope scope, String name, NDArray x) {
        return scope.linear(x, weights.get(name + ".weight"), weights.get(name + ".bias"));
    }

    /** Frees the weights. */
    @Override
    public void close() {
        weights.close();
    }
}
