package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.Guidance;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** RAR: logits, loss, gradients, guided logits along a given path, and a few training steps. */
final class RarGolden implements GoldenCase {
    private static final double LOGITS = 1e-5;
    private static final double LOSS = 1e-6;
    private static final double GRADIENT = 1e-5;
    private static final double TRAINING = 2e-6;
    private static final double LEARNING_RATE = 1e-12;
    private static final double FINAL_WEIGHTS = 2e-5;
    private static final double ZERO = 1e-6;

    // Mixed precision: three times the largest deviation of the public code under torch.autocast from its own float32.
    private static final double MIXED_LOGITS = 3e-2;
    private static final double MIXED_GUIDED = 1e-1;
    private static final double MIXED_LOSS = 1.2e-3;
    private static final double MIXED_GRADIENT = 2e-1;
    private static final double MIXED_ZERO = 1.2e-3;
    /** Its gradient is zero in exact arithmetic: a key's bias shifts all scores of a query equally. */
    private static final String ZERO_GRADIENT = "k_norm.bias";

    @Override
    public String kind() {
        return "rar";
    }

    @Override
    public List<String> files() {
        return List.of("rar.json", "rar.safetensors");
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        String text = Files.readString(folder.resolve("rar.json"));
        JsonNode json = new ObjectMapper().readTree(text);
        TensorFile expected = TensorFile.open(folder.resolve("rar.safetensors"));
        FillFormula formula = FillFormula.parse(text, folder.resolve("rar.json").toString());
        List<Check> checks = new Comparison(json, formula, expected, run).all();
        formula.check(folder.resolve("rar.bin")).ifPresent(checks::add);
        return checks;
    }

    /** One case being checked. */
    private static final class Comparison {
        private final JsonNode json;
        private final FillFormula formula;
        private final TensorFile expected;
        private final GoldenRun run;
        private final NDManager manager;
        private final RarConfig config;
        private final long[][] ids;
        private final List<Check> checks = new ArrayList<>();

        Comparison(JsonNode json, FillFormula formula, TensorFile expected, GoldenRun run) {
            this.json = json;
            this.formula = formula;
            this.expected = expected;
            this.run = run;
            this.manager = run.manager();
            boolean plain = json.path("conditioning").asText().equals("plain");
            this.config = new RarConfig(
                    json.required("hidden_size").asInt(),
                    json.required("num_hidden_layers").asInt(),
                    json.required("num_attention_heads").asInt(),
                    json.required("intermediate_size").asInt(),
                    json.required("image_seq_len").asInt(),
                    json.required("codebook_size").asInt(),
                    json.required("condition_num_classes").asInt(),
                    plain ? Conditioning.PLAIN : Conditioning.ADALN,
                    formula.parameters().containsKey("target_aware_pos_embed"));
            this.ids = rows(expected.longs("ids"), config.tokens());
        }

        List<Check> all() {
            try (NamedTensors weights = formula.tensors(config.parameters(), manager)) {
                RarModel model = new RarModel(config, weights, run.precision());
                logits(model, "logits_raster", this::raster);
                logits(model, "logits_ordered", this::orders);
                targets();
                guided(weights);
                lossAndGradients(model, weights);
                train(model, weights);
            }
            return checks;
        }

        /** The guided logits along {@code ids} in both orders and with both schedules, where the case states them. */
        private void guided(NamedTensors weights) {
            double scale = json.path("guidance_scale").asDouble();
            Guidance power = new Guidance(
                    Guidance.Kind.POWER_COSINE,
                    scale,
                    json.path("guidance_scale_pow").asDouble());
            Guidance linear = new Guidance(Guidance.Kind.LINEAR, scale, 0);
            try (RarModel model = RarModel.forSampling(config, weights, run.precision())) {
                guided(model, "guided_logits", this::raster, power);
                guided(model, "guided_logits_linear", this::raster, linear);
                guided(model, "guided_logits_ordered", this::orders, power);
                guided(model, "guided_logits_ordered_linear", this::orders, linear);
            }
        }

        private boolean has(String name) {
            return expected.names().contains(name);
        }

        private int[][] raster() {
            int[] order = IntStream.range(0, config.tokens()).toArray();
            return IntStream.range(0, ids.length).mapToObj(b -> order).toArray(int[][]::new);
        }

        private int[][] orders() {
            return orders(expected.longs("orders"));
        }

        private int[][] orders(long[] flat) {
            return Arrays.stream(rows(flat, config.tokens()))
                    .map(row -> Arrays.stream(row).mapToInt(Math::toIntExact).toArray())
                    .toArray(int[][]::new);
        }

        private void targets() {
            if (has("targets_ordered")) {
                double[] targets = Arrays.stream(batch(orders()).tokens())
                        .flatMapToLong(Arrays::stream)
                        .asDoubleStream()
                        .toArray();
                double[] stated = doubles(expected.longs("targets_ordered"));
                checks.add(Check.within("targets_ordered", Check.maxDifference(targets, stated), 0));
            }
        }

        /** All logits, or the rows of sample 0 that the case lists. */
        private void logits(RarModel model, String name, Supplier<int[][]> orders) {
            boolean whole = has(name);
            if (!whole && !has(name + "_rows")) {
                return;
            }
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray logits = model.logits(s, batch(orders.get()));
                if (whole) {
                    compare(name, GoldenRun.doubles(s, logits), LOGITS, MIXED_LOGITS);
                } else {
                    NDArray first = s.reshape(s.narrow(logits, 0, 0, 1), -1, config.codes());
                    long[] rows = listedRows();
                    NDArray listed = s.indexSelect(first, 0, s.longs(rows, rows.length));
                    compare(name + "_rows", GoldenRun.doubles(s, listed), LOGITS, MIXED_LOGITS);
                }
            }
        }

        private long[] listedRows() {
            return has("rows")
                    ? expected.longs("rows")
                    : StreamSupport.stream(json.required("rows").spliterator(), false)
                            .mapToLong(JsonNode::asLong)
                            .toArray();
        }

        private void compare(String name, double[] actual, double limit, double mixedLimit) {
            double[] stated = expected.doubles(name);
            checks.add(Check.relativeToLargest(name, actual, stated, run.limit(limit, mixedLimit)));
        }

        /** The guided logits of every step along the path {@code ids}, from the cached decoder. */
        private void guided(RarModel model, String name, Supplier<int[][]> orders, Guidance guidance) {
            if (!has(name)) {
                return;
            }
            int[] labels = Arrays.stream(expected.longs("labels"))
                    .mapToInt(Math::toIntExact)
                    .toArray();
            int[][] places = orders.get();
            double[] all = new double[ids.length * config.tokens() * config.codes()];
            new RarSampler(model, guidance, 1).run(manager, labels, places, config.tokens(), (s, t, logits_BV) -> {
                double[] rows = GoldenRun.doubles(s, logits_BV);
                long[] next = new long[ids.length];
                for (int b = 0; b < ids.length; b++) {
                    System.arraycopy(
                            rows, b * config.codes(), all, (b * config.tokens() + t) * config.codes(), config.codes());
                    next[b] = ids[b][places[b][t]];
                }
                return s.longs(next, next.length);
            });
            compare(name, all, LOGITS, MIXED_GUIDED);
        }

        private void lossAndGradients(RarModel model, NamedTensors weights) {
            if (!has("loss_ordered")) {
                return;
            }
            TensorScope.requireGradients(weights.asMap().values());
            try (TensorScope s = TensorScope.training(manager)) {
                NDArray loss = model.loss(s, batch(orders()), KeyedDropout.NONE);
                double stated = expected.doubles("loss_ordered")[0];
                checks.add(relative("loss_ordered", loss.getFloat(), stated, run.limit(LOSS, MIXED_LOSS)));
                s.backward(loss);
                weights.asMap().forEach((name, weight) -> {
                    if (has("grad/" + name)) {
                        checks.add(gradient(
                                name, doubles(s.gradient(weight).toFloatArray()), expected.doubles("grad/" + name)));
                    }
                });
            }
        }

        private Check gradient(String name, double[] actual, double[] stated) {
            return name.endsWith(ZERO_GRADIENT)
                    ? Check.within("grad/" + name, Check.largest(actual), run.limit(ZERO, MIXED_ZERO))
                    : Check.within(
                            "grad/" + name,
                            Check.maxDifference(actual, stated),
                            run.limit(GRADIENT, MIXED_GRADIENT) * Check.largest(stated));
        }

        /**
         * Some updates, in single precision only: AdamW normalizes each gradient, so that bfloat16 rounding can flip
         * the sign of a step, and the trajectories diverge.
         */
        private void train(RarModel model, NamedTensors weights) {
            if (!has("train/losses") || run.precision() == Precision.BF16) {
                return;
            }
            JsonNode t = json.required("train");
            AdamW.Settings settings = new AdamW.Settings(
                    t.required("beta1").asDouble(),
                    t.required("beta2").asDouble(),
                    t.required("eps").asDouble(),
                    t.required("weight_decay").asDouble(),
                    t.required("max_grad_norm").asDouble());
            LearningRate rate = new LearningRate(
                    t.required("base_lr").asDouble(),
                    t.required("end_lr").asDouble(),
                    t.required("warmup_steps").asLong(),
                    t.required("total_steps").asLong());
            int steps = t.required("steps").asInt();
            long[][] orders = rows(expected.longs("train/orders"), ids.length * config.tokens());
            long[][] conditions = rows(expected.longs("train/conditions"), ids.length);
            double[] losses = expected.doubles("train/losses");
            double[] norms = expected.doubles("train/grad_norms");
            double[] rates = expected.doubles("train/lrs");
            try (AdamW optimizer = new AdamW(manager, weights.asMap(), config::decays, settings)) {
                OptimizerStep optimizerStep = new OptimizerStep(optimizer, rate);
                // The check of the gradients left some behind.
                optimizer.dropGradients();
                for (int step = 0; step < steps; step++) {
                    try (TensorScope s = TensorScope.training(manager)) {
                        RarBatch batch = RarBatch.ordered(ids, orders(orders[step]), conditions[step]);
                        NDArray loss = model.loss(s, batch, KeyedDropout.NONE);
                        s.backward(loss);
                        checks.add(relative("train/losses/" + step, loss.getFloat(), losses[step], TRAINING));
                    }
                    double norm = optimizerStep.run();
                    checks.add(relative("train/grad_norms/" + step, norm, norms[step], TRAINING));
                    checks.add(relative("train/lrs/" + step, rate.at(step), rates[step], LEARNING_RATE));
                }
            }
            weights.asMap().forEach((name, weight) -> {
                if (has("train/final/" + name) && !name.endsWith(ZERO_GRADIENT)) {
                    double[] stated = expected.doubles("train/final/" + name);
                    double error = Check.maxDifference(doubles(weight.toFloatArray()), stated);
                    checks.add(Check.within("train/final/" + name, error, FINAL_WEIGHTS));
                }
            });
        }

        private RarBatch batch(int[][] orders) {
            return RarBatch.ordered(ids, orders, expected.longs("condition"));
        }
    }

    private static Check relative(String name, double actual, double stated, double limit) {
        return Check.within(name, Math.abs(actual - stated), limit * Math.abs(stated));
    }

    private static long[][] rows(long[] flat, int length) {
        return IntStream.range(0, flat.length / length)
                .mapToObj(row -> Arrays.copyOfRange(flat, row * length, (row + 1) * length))
                .toArray(long[][]::new);
    }

    private static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        Arrays.setAll(result, i -> values[i]);
        return result;
    }

    private static double[] doubles(long[] values) {
        return Arrays.stream(values).asDoubleStream().toArray();
    }
}
