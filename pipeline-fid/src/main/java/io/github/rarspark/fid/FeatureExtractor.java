package io.github.rarspark.fid;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.common.weights.WeightsCache.Lease;
import io.github.rarspark.kernel.classifier.Classifier;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.inception.Activations;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.TensorFile;
import java.util.List;
import java.util.Locale;

/** Computes features with a network that the tasks of an executor share. Used by one task. */
final class FeatureExtractor implements AutoCloseable {
    private static final float[] NONE = {};

    private final NDManager manager;
    private final Lease<Network> network;

    private FeatureExtractor(NDManager manager, Lease<Network> network) {
        this.manager = manager;
        this.network = network;
    }

    /**
     * A network's outputs for N images, row-major.
     *
     * @param features [N, D]
     * @param spatial [N, S]; empty if the network has none
     * @param logits [N, K]
     */
    record Batch(float[] features, float[] spatial, float[] logits) {}

    /**
     * Opens an extractor; loads the weights unless they are in the executor's cache.
     *
     * @param device must stay open until the extractor is closed
     */
    static FeatureExtractor open(FeatureNetwork network, Storage storage, TaskDevice device) {
        String kind = network.kind().name().toLowerCase(Locale.ROOT);
        Lease<Network> lease = WeightsCache.shared()
                .lease(
                        network.weights().key(kind, device.device().toString()),
                        Network.class,
                        network.weights().bytes(),
                        () -> load(network.kind(), network.weights().read(storage), device.newManager()));
        return new FeatureExtractor(device.newManager(), lease);
    }

    /** The features of images of one size. */
    Batch extract(List<RgbImage> images) {
        try (TensorScope scope = TensorScope.inference(manager)) {
            return network.value().compute(scope, images);
        }
    }

    @Override
    public void close() {
        manager.close();
        network.close();
    }

    /** A loaded network, with the manager of its tensors. */
    private interface Network extends AutoCloseable {
        Batch compute(TensorScope scope, List<RgbImage> images);
    }

    private static Network load(FeatureNetwork.Kind kind, TensorFile file, NDManager manager) {
        try {
            return switch (kind) {
                case CLASSIFIER -> new OfClassifier(Classifier.load(file, manager), manager);
                case INCEPTION -> new OfInception(InceptionV3.load(file, manager), manager);
            };
        } catch (RuntimeException | Error e) {
            manager.close();
            throw e;
        }
    }

    private record OfClassifier(Classifier classifier, NDManager manager) implements Network {
        @Override
        public Batch compute(TensorScope s, List<RgbImage> images) {
            int side = classifier.config().side();
            NDArray x_BCHW = s.floats(Pixels.toFloats(images), images.size(), RgbImage.CHANNELS, side, side);
            NDArray features_BD = classifier.features(s, x_BCHW);
            NDArray logits_BK = classifier.logits(s, features_BD);
            return new Batch(features_BD.toFloatArray(), NONE, logits_BK.toFloatArray());
        }

        @Override
        public void close() {
            manager.close();
        }
    }

    private record OfInception(InceptionV3 inception, NDManager manager) implements Network {
        @Override
        public Batch compute(TensorScope s, List<RgbImage> images) {
            RgbImage first = images.get(0);
            NDArray x_BHWC =
                    s.bytes(Pixels.toBytes(images), images.size(), first.height(), first.width(), RgbImage.CHANNELS);
            Activations activations = inception.activations(s, x_BHWC);
            return new Batch(
                    activations.pool3().toFloatArray(),
                    activations.spatial().toFloatArray(),
                    activations.logits().toFloatArray());
        }

        @Override
        public void close() {
            manager.close();
        }
    }
}
