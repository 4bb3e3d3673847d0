package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.inception.Activations;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The Inception network: its features after each pool, spatial features and logits of given images. */
final class InceptionGolden implements GoldenCase {
    private static final double FEATURES = 2e-5;
    /** Three times the largest deviation of the public code under torch.autocast from its own float32. */
    private static final double MIXED_FEATURES = 4e-2;

    @Override
    public String kind() {
        return "inception";
    }

    @Override
    public List<String> files() {
        return List.of("inception.json", "inception.safetensors");
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        Path file = folder.resolve("inception.json");
        FillFormula formula = FillFormula.parse(Files.readString(file), file.toString());
        TensorFile expected = TensorFile.open(folder.resolve("inception.safetensors"));
        List<Check> checks = new ArrayList<>();
        try (NamedTensors weights = formula.tensors(InceptionV3.table(), run.manager());
                InceptionV3 network = new InceptionV3(weights, run.manager(), run.precision());
                TensorScope scope = TensorScope.inference(run.manager());
                Autocast autocast = run.autocast()) {
            NDArray images = expected.load("images_nhwc", scope.manager());
            Activations actual = network.activations(scope, images);
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("pool_64", actual.pool64());
            tensors.put("pool_192", actual.pool192());
            tensors.put("pool_768", actual.pool768());
            tensors.put("pool3", actual.pool3());
            tensors.put("spatial", actual.spatial());
            tensors.put("logits_unbiased", actual.logits());
            tensors.forEach((name, tensor) -> {
                if (expected.names().contains(name)) {
                    checks.add(Check.relativeToLargest(
                            name,
                            GoldenRun.doubles(scope, tensor),
                            expected.doubles(name),
                            run.limit(FEATURES, MIXED_FEATURES)));
                }
            });
        }
        return checks;
    }
}
