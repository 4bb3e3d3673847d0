package io.github.rarspark.train.images;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.Safetensors;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model at the end of its training.
 *
 * @param metadata its configuration, for the weight file
 * @param weights its tensors
 * @param training how it was trained, in one line
 * @param steps updates that were made
 */
record TrainedModel(Map<String, String> metadata, NamedTensors weights, String training, int steps) {
    private static final int MEASURED_IMAGES = 1000;

    /** The first training images, on which the result's metrics are measured. */
    static List<RgbImage> sample(List<RgbImage> images) {
        return images.subList(0, Math.min(MEASURED_IMAGES, images.size()));
    }

    /** Writes {@code model.safetensors}, whose metadata tells how it came to be. */
    JobResult publish(ImageTraining.Run run, Map<String, Double> metrics) throws IOException {
        OutputClaim claim = run.claim();
        Map<String, String> about = new TreeMap<>(metadata);
        about.put("recipe_sha256", claim.plan().recipeSha256());
        about.put("images_sha256", run.data().sha256());
        about.put("command", claim.plan().command());
        about.put("training", training);
        about.put("version", Version.CURRENT);
        metrics.forEach((name, value) -> about.put(name, Double.toString(value)));
        claim.publish("model.safetensors", out -> Safetensors.write(out, about, weights.asMap()));
        double seconds = Duration.between(run.started(), Instant.now()).toMillis() / 1e3;
        Map<String, Long> counts = Map.of("images", (long) run.data().images().size(), "steps", (long) steps);
        return JobResult.done(claim.plan(), run.started(), seconds, counts, metrics, List.of());
    }
}
