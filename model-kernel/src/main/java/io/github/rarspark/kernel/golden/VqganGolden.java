package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The tokenizer: latents and tokens of given pixels, and pixels of given tokens. */
final class VqganGolden implements GoldenCase {
    private static final double LATENTS = 1e-5;
    private static final double DECODED = 3e-5;
    /** Below this relative gap between the two nearest codes, the choice is up to rounding. */
    private static final double UNDECIDED_GAP = 1e-5;

    // Mixed precision: three times the largest deviation of the public code under torch.autocast from its own float32.
    private static final double MIXED_LATENTS = 1.1e-1;
    private static final double MIXED_DECODED = 1.2e-1;
    private static final double MIXED_UNDECIDED_GAP = 2.3e-1;

    @Override
    public String kind() {
        return "vqgan";
    }

    @Override
    public List<String> files() {
        return List.of("vqgan.json", "vqgan.safetensors");
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        Path file = folder.resolve("vqgan.json");
        String text = Files.readString(file);
        VqganConfig config = config(new ObjectMapper().readTree(text));
        TensorFile expected = TensorFile.open(folder.resolve("vqgan.safetensors"));
        FillFormula formula = FillFormula.parse(text, file.toString());
        List<Check> checks = new ArrayList<>();
        try (NamedTensors weights = formula.tensors(config.table(), run.manager());
                Vqgan vqgan = Vqgan.forInference(config, weights, run.precision());
                TensorScope scope = TensorScope.inference(run.manager());
                Autocast autocast = run.autocast()) {
            if (expected.names().contains("pixels")) {
                NDArray latents = vqgan.latents(scope, floats(scope, expected, "pixels"));
                if (expected.names().contains("latents")) {
                    checks.add(Check.relativeToLargest(
                            "latents",
                            GoldenRun.doubles(scope, latents),
                            expected.doubles("latents"),
                            run.limit(LATENTS, MIXED_LATENTS)));
                }
                if (expected.names().contains("tokens")) {
                    long[] tokens = vqgan.nearest(scope, latents).toLongArray();
                    checks.add(tokens(tokens, expected, run.limit(UNDECIDED_GAP, MIXED_UNDECIDED_GAP)));
                }
            }
            if (expected.names().contains("decoded_unclamped")) {
                Shape shape = expected.shape("tokens");
                NDArray tokens = scope.longs(expected.longs("tokens"), shape.getShape());
                NDArray decoded = vqgan.decodeUnclamped(scope, vqgan.codes(scope, tokens));
                checks.add(Check.relativeToLargest(
                        "decoded_unclamped",
                        GoldenRun.doubles(scope, decoded),
                        expected.doubles("decoded_unclamped"),
                        run.limit(DECODED, MIXED_DECODED)));
            }
        }
        formula.check(folder.resolve("vqgan.bin")).ifPresent(checks::add);
        return checks;
    }

    /** The largest gap at which a token differs; tokens may differ only where the gap is within rounding. */
    private static Check tokens(long[] actual, TensorFile expected, double undecidedGap) {
        long[] stated = expected.longs("tokens");
        double[] gaps = expected.names().contains("relative_gap_to_second_code")
                ? expected.doubles("relative_gap_to_second_code")
                : new double[0];
        double worst = actual.length == stated.length ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < Math.min(actual.length, stated.length); i++) {
            if (actual[i] != stated[i]) {
                worst = Math.max(worst, i < gaps.length ? gaps[i] : Double.POSITIVE_INFINITY);
            }
        }
        return Check.within("tokens", worst, undecidedGap);
    }

    private static VqganConfig config(JsonNode json) {
        List<Integer> channelMult = new ArrayList<>();
        json.required("channel_mult").forEach(mult -> channelMult.add(mult.asInt()));
        return new VqganConfig(
                json.required("hidden_channels").asInt(),
                channelMult,
                json.required("num_res_blocks").asInt(),
                json.required("z_channels").asInt(),
                json.required("codebook_size").asInt());
    }

    private static NDArray floats(TensorScope scope, TensorFile file, String name) {
        return scope.floats(file.floats(name), file.shape(name).getShape());
    }
}
