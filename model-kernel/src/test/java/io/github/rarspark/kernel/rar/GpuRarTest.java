package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.rar.KeyedDropout.Site;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.DeterministicMode;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sampling and training on a GPU beside the same on the CPU, and what the host waits for. */
@Tag("gpu")
class GpuRarTest {
    private static final RarConfig CONFIG = TinyRar.config(Conditioning.ADALN, true);
    private static final int ROWS = 3;

    private DeterministicMode deterministic;
    private long allocated;

    @BeforeEach
    void begin() {
        allocated = FakeGpus.allocated(1);
        deterministic = DeterministicMode.open();
    }

    @AfterEach
    void leaveNothing() {
        deterministic.close();
        assertThat(FakeGpus.allocated(1)).isEqualTo(allocated);
    }

    // ---- sampling ----

    private static long[][] sample(Device device, Precision precision, Map<String, Long> counts) {
        Request[] requests = new Request[ROWS];
        Arrays.setAll(requests, i -> new Request(i, i));
        try (TinyRar tiny = new TinyRar(CONFIG, device);
                RarModel model = RarModel.forSampling(CONFIG, tiny.weights, precision)) {
            RarSampler sampler = new RarSampler(model, new Guidance(Guidance.Kind.LINEAR, 3, 0), 1);
            long[][][] tokens = new long[1][][];
            counts.putAll(FakeGpus.countsOf(
                    () -> tokens[0] = sampler.sample(tiny.manager, 5, requests, TinyRar.shuffled(ROWS))));
            return tokens[0];
        }
    }

    @Test
    void theTokensAreThoseOfTheCpuAndTheHostWaitsOnlyAtTheEnd() {
        Map<String, Long> counts = new TreeMap<>();
        long[][] tokens = sample(Device.gpu(1), Precision.FP32, counts);
        assertThat(tokens).isDeepEqualTo(sample(Device.cpu(), Precision.FP32, new TreeMap<>()));
        assertThat(counts)
                .containsEntry("copy to host", 2L) // the tokens, and whether their probabilities were finite
                .containsEntry("aten::cumsum", (long) TinyRar.TOKENS)
                .doesNotContainKeys("aten::_local_scalar_dense", "wait for a copy to device", "synchronize");
        assertThat(counts.get("copy to device")).isLessThan(TinyRar.TOKENS / 4);
    }

    /** In bfloat16 a token can be another; the model is the same where few are. */
    @Test
    void weightsInBfloat16SampleNearlyTheSame() {
        Map<String, Long> counts = new TreeMap<>();
        long[][] tokens = sample(Device.gpu(1), Precision.BF16, counts);
        long[][] expected = sample(Device.cpu(), Precision.BF16, new TreeMap<>());
        int same = 0;
        for (int row = 0; row < ROWS; row++) {
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                same += tokens[row][t] == expected[row][t] ? 1 : 0;
            }
        }
        assertThat(same).isGreaterThan(ROWS * TinyRar.TOKENS / 2);
        assertThat(counts).containsEntry("copy to host", 2L);
    }

    // ---- training ----

    private static float[] masked(Device device, Site site, int width, double rate) {
        try (NDManager manager = NDManager.newBaseManager(device);
                TensorScope s = TensorScope.inference(manager)) {
            float[] ones = new float[2 * width];
            Arrays.fill(ones, 1);
            return KeyedDropout.of(rate, 7, 11, 13, 2)
                    .apply(s, s.floats(ones, 2, width), 1, site)
                    .toFloatArray();
        }
    }

    @ParameterizedTest
    @CsvSource({"PROJECTION, 1, 0.1", "MLP_INNER, 5001, 0.1", "MLP_OUTER, 8192, 0.5", "MLP_INNER, 4097, 0.75"})
    void masksAreThoseOfTheCpu(Site site, int width, double rate) {
        assertThat(masked(Device.gpu(1), site, width, rate)).containsExactly(masked(Device.cpu(), site, width, rate));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void masksAreMadeOfTheirKeysWithoutWaiting(boolean attention) {
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(1));
                TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.zeros(2, 3, 50, 20);
            Map<String, Long> counts = FakeGpus.countsOf(() -> {
                if (attention) {
                    s.attentionWithDropout(x, x, x, 0.1, new long[] {1, 2});
                } else {
                    s.dropout(x, 0.1, new long[] {1, 2});
                }
            });
            assertThat(counts)
                    .containsEntry("copy to device, bytes", 16L)
                    .doesNotContainKeys(
                            "copy to host", "wait for a copy to device", "aten::_local_scalar_dense", "synchronize");
        }
    }

    /** Three updates: the losses, then the sum of the weights. */
    private static double[] train(Device device, Precision precision, Map<String, Long> counts) {
        AdamW.Settings settings = new AdamW.Settings(0.9, 0.96, 1e-8, 0.03, 0.01);
        double[] results = new double[4];
        try (TinyRar tiny = new TinyRar(CONFIG, device)) {
            TensorScope.requireGradients(tiny.weights.asMap().values());
            RarModel model = new RarModel(CONFIG, tiny.weights, precision);
            try (AdamW optimizer = new AdamW(tiny.manager, tiny.weights.asMap(), CONFIG::decays, settings)) {
                OptimizerStep optimizerStep = new OptimizerStep(optimizer, new LearningRate(4e-3, 4e-3, 0, 20));
                for (int step = 0; step < 3; step++) {
                    KeyedDropout dropout = KeyedDropout.of(0.1, 1, step, 0, ROWS);
                    try (TensorScope s = TensorScope.training(tiny.manager)) {
                        TrainingLoss loss = model.trainingLoss(s, tiny.batch(ROWS), dropout, step == 1);
                        loss.backward(loss.scored().loss());
                        results[step] = loss.scored().loss().getFloat();
                    }
                    counts.putAll(FakeGpus.countsOf(optimizerStep::run));
                }
            }
            try (TensorScope s = TensorScope.inference(tiny.manager)) {
                results[3] = tiny.weights.asMap().values().stream()
                        .mapToDouble(weight -> s.sum(s.reshape(weight, -1), 0).getFloat())
                        .sum();
            }
        }
        return results;
    }

    @ParameterizedTest
    @EnumSource
    void updatesAreThoseOfTheCpu(Precision precision) {
        double[] onGpu = train(Device.gpu(1), precision, new TreeMap<>());
        double[] onCpu = train(Device.cpu(), precision, new TreeMap<>());
        // A rounded gradient can turn the sign of AdamW's first steps, of 4e-3 for each of 10,000 weights.
        assertThat(onGpu[3]).isCloseTo(onCpu[3], within(precision == Precision.FP32 ? 1e-4 : 0.1));
        for (int step = 0; step < 3; step++) {
            assertThat(onGpu[step]).isCloseTo(onCpu[step], within(precision == Precision.FP32 ? 1e-6 : 1e-3));
        }
    }

    /** One of each site, that is of four in each of two blocks, in the forward pass; none in the backward pass. */
    @Test
    void aTrainingStepWaitsForNothingAndDrawsEachMaskOnce() {
        try (TinyRar tiny = new TinyRar(CONFIG, Device.gpu(1))) {
            TensorScope.requireGradients(tiny.weights.asMap().values());
            RarModel model = new RarModel(CONFIG, tiny.weights, Precision.BF16);
            Map<String, Long> counts = FakeGpus.countsOf(() -> {
                try (TensorScope s = TensorScope.training(tiny.manager)) {
                    KeyedDropout dropout = KeyedDropout.of(0.1, 1, 0, 0, ROWS);
                    TrainingLoss loss = model.trainingLoss(s, tiny.batch(ROWS), dropout, false);
                    loss.backward(loss.scored().loss());
                }
            });
            assertThat(counts)
                    .containsEntry("aten::ge", 8L)
                    .doesNotContainKeys(
                            "copy to host", "wait for a copy to device", "aten::_local_scalar_dense", "synchronize");
        }
    }

    /** Of the weights' 46 tensors, without an operator for each; the host reads the gradient's norm. */
    @Test
    void anUpdateIsAFewOperatorsAndOneNumber() {
        Map<String, Long> counts = new TreeMap<>();
        train(Device.gpu(1), Precision.FP32, counts);
        assertThat(counts)
                .containsEntry("aten::_fused_adamw_", 2L) // with weight decay, and without
                .containsEntry("aten::fill_", 4L) // the number of the update and the divisor of the gradients for each
                .containsEntry("aten::_foreach_norm", 1L)
                .containsEntry("aten::_local_scalar_dense", 1L)
                .doesNotContainKeys("copy to device", "copy to host", "copy on device");
        assertThat(counts.values().stream().mapToLong(Long::longValue).sum()).isLessThan(20);
    }
}
