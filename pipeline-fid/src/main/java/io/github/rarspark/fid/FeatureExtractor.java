package io.github.rarspark.fid;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.spark.WeightsCache;
import io.github.rarspark.common.spark.WeightsCache.Lease;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.classifier.Classifier;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.SafetensorsFile;
import java.util.List;

/** Computes features with a network that the tasks of an executor share. One task's own. */
final class FeatureExtractor implements AutoCloseable {
    private static final Device DEVICE = Device.cpu();

    private final NDManager manager;
    private final Lease<Network> network;

    private FeatureExtractor(NDManager manager, Lease<Network> network) {
        this.manager = manager;
        this.network = network;
    }

    /**
     * What the network says about some images.
     *
     * @param features row-major [images, width]
     * @param classes the most likely class of each image
     */
    record Batch(float[] features, long[] classes) {}

    /** Loads the weights unless a task of this executor has. */
    static FeatureExtractor open(FeatureNetwork network, Storage storage) {
        Lease<Network> lease = WeightsCache.shared()
                .lease(
                        network.weights().key("classifier", DEVICE.toString()),
                        Network.class,
                        network.weights().bytes(),
                        () -> Network.load(network.weights().read(storage)));
        return new FeatureExtractor(NDManager.newBaseManager(DEVICE), lease);
    }

    Batch extract(List<RgbImage> images) {
        Classifier classifier = network.value().classifier();
        int side = images.get(0).width();
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x_BCHW = s.floats(Pixels.toFloats(images), images.size(), RgbImage.CHANNELS, side, side);
            NDArray features_BD = classifier.features(s, x_BCHW);
            NDArray classes_B = s.argMax(classifier.logits(s, features_BD), 1);
            return new Batch(features_BD.toFloatArray(), classes_B.toLongArray());
        }
    }

    /** For what else a task computes of the features. */
    NDManager manager() {
        return manager;
    }

    @Override
    public void close() {
        manager.close();
        network.close();
    }

    /** A classifier and the manager of its tensors, freed together. */
    private record Network(Classifier classifier, NDManager manager) implements AutoCloseable {
        static Network load(SafetensorsFile file) {
            NDManager manager = NDManager.newBaseManager(DEVICE);
            try {
                return new Network(Classifier.load(file, manager), manager);
            } catch (RuntimeException | Error e) {
                manager.close();
                throw e;
            }
        }

        @Override
        public void close() {
            manager.close();
        }
    }
}
