package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.metrics.FrechetDistance;
import io.github.rarspark.kernel.metrics.GaussianStatistics;
import io.github.rarspark.kernel.metrics.InceptionScore;
import io.github.rarspark.kernel.metrics.KernelDistance;
import io.github.rarspark.kernel.metrics.Moments;
import io.github.rarspark.kernel.metrics.PrecisionRecall;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

/** The metrics of given features: Frechet distance, Inception Score, precision and recall, KID. */
final class MetricsGolden implements GoldenCase {
    private static final double DISTANCE = 1e-6;
    private static final double SCORE = 1e-9;
    private static final String SPLIT = "split_";

    @Override
    public String kind() {
        return "metrics";
    }

    @Override
    public List<String> files() {
        return List.of("expected.json", "features.safetensors");
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        JsonNode expected = new ObjectMapper().readTree(Files.readString(folder.resolve("expected.json")));
        TensorFile features = TensorFile.open(folder.resolve("features.safetensors"));
        return new Comparison(expected, features, run.manager()).all();
    }

    /** One case being checked. */
    private static final class Comparison {
        private final JsonNode expected;
        private final TensorFile features;
        private final NDManager manager;
        private final List<Check> checks = new ArrayList<>();

        Comparison(JsonNode expected, TensorFile features, NDManager manager) {
            this.expected = expected;
            this.features = features;
            this.manager = manager;
        }

        List<Check> all() {
            if (features.names().contains("reference") && features.names().contains("samples")) {
                compareSets();
            }
            if (features.names().contains("sample_logits")) {
                compareScores();
            }
            return checks;
        }

        private void compareSets() {
            float[] reference = floats("reference");
            float[] samples = floats("samples");
            int width = Math.toIntExact(features.shape("reference").get(1));
            GaussianStatistics statistics =
                    Moments.of(manager, reference, width).statistics();
            relative("fid", () -> frechet(samples, reference, width), expected.path("fid"), DISTANCE);
            relative(
                    "mu_reference_sum",
                    () -> Arrays.stream(statistics.mean()).sum(),
                    expected.path("mu_reference_sum"),
                    DISTANCE);
            relative("sigma_reference_trace", statistics::trace, expected.path("sigma_reference_trace"), DISTANCE);
            JsonNode deficient = expected.path("rank_deficient");
            int entries = deficient.path("rows").asInt() * width;
            relative(
                    "rank_deficient/fid",
                    () -> frechet(Arrays.copyOf(samples, entries), Arrays.copyOf(reference, entries), width),
                    deficient.path("fid"),
                    DISTANCE);
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray reference_ND = s.floats(reference, reference.length / width, width);
                NDArray samples_MD = s.floats(samples, samples.length / width, width);
                if (expected.has("nearest_k")) {
                    int neighbours = expected.get("nearest_k").asInt();
                    PrecisionRecall nearest = PrecisionRecall.of(manager, reference_ND, samples_MD, neighbours);
                    relative("precision", nearest::precision, expected.path("precision"), 0);
                    relative("recall", nearest::recall, expected.path("recall"), 0);
                }
                relative(
                        "kid_unbiased_all",
                        () -> KernelDistance.unbiased(manager, samples_MD, reference_ND),
                        expected.path("kid_unbiased_all"),
                        DISTANCE);
            }
        }

        private void compareScores() {
            double[] logits = features.doubles("sample_logits");
            int classes = Math.toIntExact(features.shape("sample_logits").get(1));
            for (Map.Entry<String, JsonNode> score :
                    expected.path("inception_score").properties()) {
                String name = score.getKey();
                int rows = name.startsWith(SPLIT)
                        ? Integer.parseInt(name.substring(SPLIT.length()))
                        : logits.length / classes;
                relative(
                        "inception_score/" + name,
                        () -> inceptionScore(logits, classes, rows),
                        score.getValue(),
                        SCORE);
            }
        }

        private double frechet(float[] a, float[] b, int width) {
            return FrechetDistance.between(
                    Moments.of(manager, a, width).statistics(),
                    Moments.of(manager, b, width).statistics(),
                    manager);
        }

        private float[] floats(String name) {
            double[] doubles = features.doubles(name);
            float[] floats = new float[doubles.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (float) doubles[i];
            }
            return floats;
        }

        /** Compares what the case states. */
        private void relative(String name, DoubleSupplier actual, JsonNode stated, double limit) {
            if (stated.isNumber()) {
                double error = Math.abs(actual.getAsDouble() - stated.asDouble());
                checks.add(Check.within(name, error, limit * Math.abs(stated.asDouble())));
            }
        }
    }

    private static double inceptionScore(double[] logits, int classes, int splitRows) {
        InceptionScore score = new InceptionScore(classes, splitRows);
        for (int at = 0; at < logits.length; at += classes) {
            score.add(logits, at);
        }
        return score.mean();
    }
}
