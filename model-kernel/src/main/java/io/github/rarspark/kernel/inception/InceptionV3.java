package io.github.rarspark.kernel.inception;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.TensorFile;
import java.util.HashMap;
import java.util.Map;

/**
 * Inception v3 (Szegedy et al., "Rethinking the Inception architecture", 2015) with the weights and deviations of the
 * 2015-12-05 graph that the ADM evaluation suite uses: average pooling excludes padding, and the pool branch of
 * Mixed_7c is a max pool. Every batch normalization is folded into its convolution.
 *
 * <p>B batch, C channels, H height, W width, D features, K classes.
 */
public final class InceptionV3 implements AutoCloseable {
    /** Features per image. */
    public static final int FEATURES = InceptionLayers.FEATURES;

    /** Spatial features per image. */
    public static final int SPATIAL_FEATURES = 17 * 17 * 7;

    /** Classes of the logits. */
    public static final int CLASSES = InceptionLayers.CLASSES;

    private static final int SPATIAL_CHANNELS = 7;
    private static final double NORM_EPS = 1e-3;

    private final NDManager manager;
    private final Map<String, Folded> layers = new HashMap<>();
    private final NDArray classes_KD;

    /** A convolution with its batch normalization folded in. */
    private record Folded(Convolution shape, NDArray weight_KChw, NDArray bias_K) {}

    /**
     * Creates the network from parameters, which it copies; on a CPU, in float32, into the layout of oneDNN.
     *
     * @param weights the tensors of {@link #table}
     * @param parent the parent of the manager of the network's own tensors
     * @param precision of the {@link io.github.rarspark.kernel.tensor.Autocast} that it will run under
     */
    public InceptionV3(NamedTensors weights, NDManager parent, Precision precision) {
        manager = parent.newSubManager();
        boolean pack = precision == Precision.FP32 && !manager.getDevice().isGpu();
        try (TensorScope s = TensorScope.inference(manager)) {
            for (Convolution conv : InceptionLayers.all()) {
                layers.put(conv.name(), fold(s, conv, weights, pack));
            }
            NDArray classes = s.affine(weights.get("fc.weight"), 1, 0);
            classes_KD = s.keep(pack ? s.packLinear(classes) : classes);
        }
    }

    /** The parameters' names and shapes in weight files. */
    public static ParameterTable table() {
        return InceptionLayers.table();
    }

    /**
     * Loads the network from a weight file.
     *
     * @param parent the parent of the weights' manager; its device runs the model
     * @throws io.github.rarspark.kernel.error.DataException if the file is not this network's
     */
    public static InceptionV3 load(TensorFile file, NDManager parent) {
        try (NamedTensors weights = NamedTensors.load(file, table(), parent)) {
            return new InceptionV3(weights, parent, Precision.FP32);
        }
    }

    /** y = (conv(x) - mean) / sqrt(variance + eps) * weight + bias, as one convolution with a bias. */
    private static Folded fold(TensorScope s, Convolution conv, NamedTensors weights, boolean pack) {
        float[] weight = weights.get(conv.name() + ".bn.weight").toFloatArray();
        float[] bias = weights.get(conv.name() + ".bn.bias").toFloatArray();
        float[] mean = weights.get(conv.name() + ".bn.running_mean").toFloatArray();
        float[] variance = weights.get(conv.name() + ".bn.running_var").toFloatArray();
        float[] scale = new float[conv.out()];
        float[] shift = new float[conv.out()];
        for (int c = 0; c < scale.length; c++) {
            double factor = weight[c] / Math.sqrt(variance[c] + NORM_EPS);
            scale[c] = (float) factor;
            shift[c] = (float) (bias[c] - mean[c] * factor);
        }
        NDArray scale_K111 = s.floats(scale, conv.out(), 1, 1, 1);
        NDArray weight_KChw = s.multiply(weights.get(conv.name() + ".conv.weight"), scale_K111);
        NDArray bias_K = s.affine(s.floats(shift, conv.out()), 1, 0);
        NDArray laidOut_KChw = pack
                ? s.packConvolution(weight_KChw, conv.stride(), conv.paddingHeight(), conv.paddingWidth(), conv.side())
                : s.channelsLast(weight_KChw);
        return new Folded(conv, s.keep(laidOut_KChw), s.keep(bias_K));
    }

    /**
     * Computes the activations.
     *
     * @param images_BHWC RGB images of any size, uint8
     * @return tensors of {@code outer}
     */
    public Activations activations(TensorScope outer, NDArray images_BHWC) {
        try (TensorScope s = outer.open()) {
            NDArray x = InputResize.resize(s, images_BHWC);
            NDArray after64 = maxPool(s, stem64(s, x));
            NDArray after192 = maxPool(s, conv(s, conv(s, after64, "Conv2d_3b_1x1"), "Conv2d_4a_3x3"));
            NDArray h = square35(s, after192, "Mixed_5b");
            h = square35(s, h, "Mixed_5c");
            h = square35(s, h, "Mixed_5d");
            h = reduce35(s, h, "Mixed_6a");
            h = square17(s, h, "Mixed_6b");
            h = square17(s, h, "Mixed_6c");
            NDArray spatial = spatial(s, conv(s, h, "Mixed_6d.branch1x1"));
            h = square17(s, h, "Mixed_6d");
            NDArray after768 = square17(s, h, "Mixed_6e");
            h = reduce17(s, after768, "Mixed_7a");
            h = square8(s, h, "Mixed_7b", s.averagePool(h, 3, 1, 1));
            h = square8(s, h, "Mixed_7c", s.maxPool(h, 3, 1, 1));
            NDArray pool3_BD = means(s, h);
            return new Activations(
                    s.keep(means(s, after64)),
                    s.keep(means(s, after192)),
                    s.keep(means(s, after768)),
                    s.keep(pool3_BD),
                    s.keep(spatial),
                    s.keep(s.to(s.linear(pool3_BD, classes_KD, null), DataType.FLOAT32)));
        }
    }

    private NDArray stem64(TensorScope outer, NDArray x) {
        try (TensorScope s = outer.open()) {
            NDArray h = conv(s, conv(s, x, "Conv2d_1a_3x3"), "Conv2d_2a_3x3");
            return s.keep(conv(s, h, "Conv2d_2b_3x3"));
        }
    }

    private NDArray square35(TensorScope outer, NDArray x, String name) {
        try (TensorScope s = outer.open()) {
            return s.keep(s.concatenate(
                    1,
                    conv(s, x, name + ".branch1x1"),
                    convs(s, x, name + ".branch5x5_", "1", "2"),
                    convs(s, x, name + ".branch3x3dbl_", "1", "2", "3"),
                    conv(s, s.averagePool(x, 3, 1, 1), name + ".branch_pool")));
        }
    }

    private NDArray reduce35(TensorScope outer, NDArray x, String name) {
        try (TensorScope s = outer.open()) {
            return s.keep(s.concatenate(
                    1,
                    conv(s, x, name + ".branch3x3"),
                    convs(s, x, name + ".branch3x3dbl_", "1", "2", "3"),
                    maxPool(s, x)));
        }
    }

    private NDArray square17(TensorScope outer, NDArray x, String name) {
        try (TensorScope s = outer.open()) {
            return s.keep(s.concatenate(
                    1,
                    conv(s, x, name + ".branch1x1"),
                    convs(s, x, name + ".branch7x7_", "1", "2", "3"),
                    convs(s, x, name + ".branch7x7dbl_", "1", "2", "3", "4", "5"),
                    conv(s, s.averagePool(x, 3, 1, 1), name + ".branch_pool")));
        }
    }

    private NDArray reduce17(TensorScope outer, NDArray x, String name) {
        try (TensorScope s = outer.open()) {
            return s.keep(s.concatenate(
                    1,
                    convs(s, x, name + ".branch3x3_", "1", "2"),
                    convs(s, x, name + ".branch7x7x3_", "1", "2", "3", "4"),
                    maxPool(s, x)));
        }
    }

    private NDArray square8(TensorScope outer, NDArray x, String name, NDArray pooled) {
        try (TensorScope s = outer.open()) {
            NDArray wide = conv(s, x, name + ".branch3x3_1");
            NDArray twice = convs(s, x, name + ".branch3x3dbl_", "1", "2");
            return s.keep(s.concatenate(
                    1,
                    conv(s, x, name + ".branch1x1"),
                    conv(s, wide, name + ".branch3x3_2a"),
                    conv(s, wide, name + ".branch3x3_2b"),
                    conv(s, twice, name + ".branch3x3dbl_3a"),
                    conv(s, twice, name + ".branch3x3dbl_3b"),
                    conv(s, pooled, name + ".branch_pool")));
        }
    }

    /** Consecutive convolutions, named {@code prefix} and a number. */
    private NDArray convs(TensorScope s, NDArray x, String prefix, String... numbers) {
        NDArray h = x;
        for (String number : numbers) {
            h = conv(s, h, prefix + number);
        }
        return h;
    }

    private NDArray conv(TensorScope outer, NDArray x, String name) {
        Folded layer = layers.get(name);
        Convolution shape = layer.shape();
        return outer.conv2dRelu(
                x, layer.weight_KChw(), layer.bias_K(), shape.stride(), shape.paddingHeight(), shape.paddingWidth());
    }

    private static NDArray maxPool(TensorScope s, NDArray x) {
        return s.maxPool(x, 3, 2, 0);
    }

    private static NDArray means(TensorScope s, NDArray x_BCHW) {
        return s.mean(s.to(x_BCHW, DataType.FLOAT32), 2, 3);
    }

    private static NDArray spatial(TensorScope s, NDArray branch_BCHW) {
        NDArray few_BHWC = s.permute(s.narrow(branch_BCHW, 1, 0, SPATIAL_CHANNELS), 0, 2, 3, 1);
        return s.reshape(s.to(few_BHWC, DataType.FLOAT32), -1, SPATIAL_FEATURES);
    }

    @Override
    public void close() {
        manager.close();
    }
}
