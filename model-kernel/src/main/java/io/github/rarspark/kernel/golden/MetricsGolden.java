package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.metrics.FrechetDistance;
import io.github.rarspark.kernel.metrics.InceptionScore;
import io.github.rarspark.kernel.metrics.KernelDistance;
import io.github.rarspark.kernel.metrics.Moments;
import io.github.rarspark.kernel.metrics.PrecisionRecall;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.Safetensors;
import io.github.rarspark.kernel.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The metrics of given features: Frechet distance, Inception Score, precision and recall, KID. */
final class MetricsGolden implements GoldenCase {
    private static final double DISTANCE = 1e-6;
    private static final double SCORE = 1e-9;
    private static final int SPLIT = 200;

    @Override
    public String kind() {
        return "metrics";
    }

    @Override
    public boolean isIn(Path folder) {
        return Files.exists(folder.resolve("expected.json")) && Files.exists(folder.resolve("features.safetensors"));
    }

    @Override
    public List<Check> check(Path folder, NDManager manager) throws IOException {
        JsonNode expected = new ObjectMapper().readTree(Files.readString(folder.resolve("expected.json")));
        SafetensorsFile features = Safetensors.read(folder.resolve("features.safetensors"));
        float[] reference = features.floats("reference");
        float[] samples = features.floats("samples");
        int width = (int) features.shape("reference").get(1);
        List<Check> checks = new ArrayList<>();
        checks.add(relative("fid", frechet(manager, samples, reference, width), expected.get("fid"), DISTANCE));
        JsonNode deficient = expected.path("rank_deficient");
        if (!deficient.isMissingNode()) {
            int entries = deficient.required("rows").asInt() * width;
            double distance =
                    frechet(manager, Arrays.copyOf(samples, entries), Arrays.copyOf(reference, entries), width);
            checks.add(relative("rank_deficient/fid", distance, deficient.get("fid"), DISTANCE));
        }
        double[] logits = features.doubles("sample_logits");
        int classes = (int) features.shape("sample_logits").get(1);
        JsonNode score = expected.path("inception_score");
        double all = inceptionScore(logits, classes, logits.length / classes);
        checks.add(relative("inception_score/all", all, score.get("all"), SCORE));
        double split = inceptionScore(logits, classes, SPLIT);
        checks.add(relative("inception_score/split_200", split, score.get("split_200"), SCORE));
        int neighbours = expected.required("nearest_k").asInt();
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray reference_ND = s.floats(reference, reference.length / width, width);
            NDArray samples_MD = s.floats(samples, samples.length / width, width);
            PrecisionRecall nearest = PrecisionRecall.of(manager, reference_ND, samples_MD, neighbours);
            checks.add(relative("precision", nearest.precision(), expected.get("precision"), 0));
            checks.add(relative("recall", nearest.recall(), expected.get("recall"), 0));
            double kid = KernelDistance.unbiased(manager, samples_MD, reference_ND);
            checks.add(relative("kid_unbiased_all", kid, expected.get("kid_unbiased_all"), DISTANCE));
        }
        return checks;
    }

    private static double frechet(NDManager manager, float[] a, float[] b, int width) {
        return FrechetDistance.between(
                Moments.of(manager, a, width).statistics(),
                Moments.of(manager, b, width).statistics(),
                manager);
    }

    private static double inceptionScore(double[] logits, int classes, int splitRows) {
        InceptionScore score = new InceptionScore(classes, splitRows);
        for (int at = 0; at < logits.length; at += classes) {
            score.add(logits, at);
        }
        return score.mean();
    }

    private static Check relative(String name, double actual, JsonNode expected, double limit) {
        return Check.within(name, Math.abs(actual - expected.asDouble()), limit * Math.abs(expected.asDouble()));
    }
}
