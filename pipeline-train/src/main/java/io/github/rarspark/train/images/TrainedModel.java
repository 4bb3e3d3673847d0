package io.github.rarspark.train.images;

import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model at the end of its training, whose tensors are no longer needed.
 *
 * @param file the weight file, as safetensors
 * @param images it was trained on
 * @param metrics measured at the end
 */
record TrainedModel(byte[] file, long images, Map<String, Double> metrics) {
    private static final int MEASURED_IMAGES = 1000;

    /** The first training images, on which the metrics are measured. */
    static List<RgbImage> sample(List<RgbImage> images) {
        return images.subList(0, Math.min(MEASURED_IMAGES, images.size()));
    }

    /**
     * The model that {@code run} has trained.
     *
     * @param config its configuration, for the file's metadata
     * @param training how it was trained, in one line
     */
    static TrainedModel of(
            TrainingRun run,
            Map<String, String> config,
            NamedTensors weights,
            String training,
            Map<String, Double> metrics)
            throws IOException {
        Map<String, String> metadata = new TreeMap<>(config);
        metadata.putAll(run.provenance());
        metadata.put("training", training);
        metrics.forEach((name, value) -> metadata.put(name, Double.toString(value)));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        Safetensors.write(file, metadata, weights.asMap());
        return new TrainedModel(file.toByteArray(), run.data().images().size(), metrics);
    }
}
