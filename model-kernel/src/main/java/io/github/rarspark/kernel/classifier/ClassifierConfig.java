package io.github.rarspark.kernel.classifier;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The architecture of a classifier.
 *
 * @param side of the square input in pixels
 * @param widths channels per stage; each stage but the last halves the side
 * @param features width of the last hidden layer
 * @param classes number of classes
 */
public record ClassifierConfig(int side, List<Integer> widths, int features, int classes) implements Serializable {
    /** Groups of every group normalization; divides each stage's width. */
    static final int NORM_GROUPS = 8;

    /** Checks that the sizes are valid. */
    public ClassifierConfig {
        widths = List.copyOf(widths);
        if (widths.isEmpty() || widths.stream().anyMatch(width -> width < 1 || width % NORM_GROUPS != 0)) {
            throw new DataException("Cannot build a classifier with stages " + widths
                    + " channels wide: expected at least one, all multiples of " + NORM_GROUPS);
        }
        if (side < 1 || side % (1 << widths.size() - 1) != 0) {
            throw new DataException("Cannot build a classifier of " + widths.size() + " stages for a side of " + side
                    + " pixels: each stage but the last must halve it");
        }
        if (features < 1 || classes < 2) {
            throw new DataException("Cannot build a classifier of " + features + " features and " + classes
                    + " classes: expected at least one feature and two classes");
        }
    }

    /** The classifier of the demo: four stages, 64 features. */
    public static ClassifierConfig small(int side, int classes) {
        return new ClassifierConfig(side, List.of(32, 64, 64, 64), 64, classes);
    }

    /**
     * Infers the architecture of a classifier from the shapes of its weights.
     *
     * @throws DataException if the file lacks the tensors that determine them
     */
    public static ClassifierConfig of(TensorFile file) {
        List<Integer> widths = new ArrayList<>();
        while (file.names().contains("stage." + widths.size() + ".norm.weight")) {
            widths.add(
                    (int) file.shape("stage." + widths.size() + ".norm.weight").size());
        }
        Shape hidden = file.shape("hidden.weight");
        Shape head = file.shape("head.weight");
        if (widths.isEmpty() || hidden.dimension() != 2 || head.dimension() != 2) {
            throw new DataException(
                    "Cannot load a classifier from " + file.file() + ": its tensors are not a classifier's");
        }
        long area = hidden.get(1) / widths.get(widths.size() - 1);
        int side = (int) Math.round(Math.sqrt(area)) << widths.size() - 1;
        return new ClassifierConfig(side, widths, (int) hidden.get(0), (int) head.get(0));
    }

    /** The configuration as a weight file's metadata. */
    public Map<String, String> metadata() {
        return new TreeMap<>(Map.of(
                "kind", "classifier",
                "side", Integer.toString(side),
                "widths", widths.toString(),
                "features", Integer.toString(features),
                "classes", Integer.toString(classes)));
    }

    /** All parameters. */
    public ParameterTable table() {
        List<ParameterSpec> specs = new ArrayList<>();
        int in = 3;
        for (int stage = 0; stage < widths.size(); stage++) {
            int out = widths.get(stage);
            String name = "stage." + stage;
            specs.add(new ParameterSpec(name + ".conv.weight", new Shape(out, in, 3, 3), Init.fanIn(in * 9L)));
            specs.add(new ParameterSpec(name + ".norm.weight", new Shape(out), Init.ones()));
            specs.add(new ParameterSpec(name + ".norm.bias", new Shape(out), Init.zeros()));
            in = out;
        }
        long lastSide = side >> widths.size() - 1;
        addLinear(specs, "hidden", in * lastSide * lastSide, features);
        addLinear(specs, "head", features, classes);
        return new ParameterTable(specs);
    }

    private static void addLinear(List<ParameterSpec> specs, String name, long in, long out) {
        specs.add(new ParameterSpec(name + ".weight", new Shape(out, in), Init.fanIn(in)));
        specs.add(new ParameterSpec(name + ".bias", new Shape(out), Init.fanIn(in)));
    }
}
