package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("device")
class RarSamplerTest {
    /** Five distinct classes and none: modulations come in chunks of fewer positions than the sequence has. */
    private static final int[] LABELS = {0, 4, 1, 0, 3, 2};

    private static final Guidance POWER = new Guidance(Guidance.Kind.POWER_COSINE, 3, 1.5);

    @ParameterizedTest
    @CsvSource({
        "ADALN, true, false, false", "ADALN, true, false, true", "ADALN, true, true, false",
        "ADALN, true, true, true", "ADALN, false, false, true", "PLAIN, true, false, false",
        "PLAIN, true, true, true", "PLAIN, false, false, false"
    })
    void cachedLogitsAreThoseOfTheFullForwardPassAtEveryStep(
            Conditioning conditioning, boolean targetAware, boolean random, boolean guided) {
        try (TinyRar tiny = new TinyRar(TinyRar.config(conditioning, targetAware))) {
            int[][] orders = random ? TinyRar.shuffled(LABELS.length) : TinyRar.raster(LABELS.length);
            Guidance guidance = guided ? POWER : Guidance.NONE;
            float[][] cached = alongTokens(tiny, tiny.model, guidance, orders);
            float[][] full = fullForward(tiny, guidance, orders);
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                assertThat(cached[t]).as("step " + t).containsExactly(full[t], within(2e-5f));
            }
        }
    }

    /** The sampler's logits [T][B*V] along {@link TinyRar#tokens}. */
    private static float[][] alongTokens(TinyRar tiny, RarModel model, Guidance guidance, int[][] orders) {
        long[][] ids = TinyRar.tokens(LABELS.length);
        float[][] logits = new float[TinyRar.TOKENS][];
        new RarSampler(model, guidance, 1).run(tiny.manager, LABELS, orders, TinyRar.TOKENS, (s, t, logits_BV) -> {
            logits[t] = s.to(logits_BV, DataType.FLOAT32).toFloatArray();
            long[] next = new long[LABELS.length];
            Arrays.setAll(next, b -> ids[b][orders[b][t]]);
            return s.longs(next, next.length);
        });
        return logits;
    }

    /** Only at one step, so that later ones do not show it. */
    @Test
    void probabilitiesThatWereNotFiniteAreAnErrorAtTheEnd() {
        Request[] requests = {new Request(0, 0), new Request(1, 1)};
        try (TinyRar tiny = TinyRar.adaln()) {
            RarSampler sampler = new RarSampler(tiny.model, Guidance.NONE, 1);
            Chooser drawing = sampler.drawing(tiny.manager, 5, requests);
            Chooser broken = new Chooser() {
                @Override
                public NDArray choose(TensorScope s, int t, NDArray logits_BV) {
                    return drawing.choose(s, t, t == 3 ? s.affine(logits_BV, Double.NaN, 0) : logits_BV);
                }

                @Override
                public void check() {
                    drawing.check();
                }
            };
            assertThatThrownBy(() ->
                            sampler.run(tiny.manager, new int[] {0, 1}, TinyRar.raster(2), TinyRar.TOKENS, broken))
                    .isInstanceOf(NumericException.class)
                    .hasMessage("The probabilities of a token are not finite");
        }
    }

    /** Chi-square of 2,000 images' first tokens, whose bound a temperature that is a fifth higher exceeds. */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void firstTokensFollowTheirProbabilities(boolean guided) {
        int row = 4;
        int images = 2000;
        double temperature = 0.5;
        Guidance guidance = guided ? new Guidance(Guidance.Kind.CONSTANT, 3, 0) : Guidance.NONE;
        try (TinyRar tiny = new TinyRar(TinyRar.config(Conditioning.ADALN, true))) {
            int codes = tiny.config.codes();
            Request[] requests = new Request[images];
            Arrays.setAll(requests, i -> new Request(LABELS[row], i));
            long[][] tokens = new RarSampler(tiny.model, guidance, temperature)
                    .sample(tiny.manager, 11, requests, TinyRar.raster(images));
            long[] counts = new long[codes];
            Arrays.stream(tokens).forEach(image -> counts[(int) image[0]]++);

            float[][] logits = fullForward(tiny, guidance, TinyRar.raster(LABELS.length));
            float[] first = Arrays.copyOfRange(logits[0], row * codes, (row + 1) * codes);
            double bound = codes - 1 + 5 * Math.sqrt(2 * (codes - 1));
            assertThat(chiSquare(counts, first, temperature)).isLessThan(bound);
            assertThat(chiSquare(counts, first, 1.2 * temperature)).isGreaterThan(bound);
        }
    }

    private static double chiSquare(long[] counts, float[] logits, double temperature) {
        double[] weights = new double[logits.length];
        Arrays.setAll(weights, i -> Math.exp(logits[i] / temperature));
        double sum = Arrays.stream(weights).sum();
        long all = Arrays.stream(counts).sum();
        double chiSquare = 0;
        for (int i = 0; i < counts.length; i++) {
            double expected = all * weights[i] / sum;
            chiSquare += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        return chiSquare;
    }

    private static float[][] fullForward(TinyRar tiny, Guidance guidance, int[][] orders) {
        long[] classes = Arrays.stream(LABELS)
                .mapToLong(label -> tiny.config.space().classId(label))
                .toArray();
        long[] none = new long[LABELS.length];
        Arrays.fill(none, tiny.config.space().noClass());
        float[][] logits = new float[TinyRar.TOKENS][];
        try (TensorScope s = TensorScope.inference(tiny.manager)) {
            NDArray cond_BTV = tiny.model.logits(s, RarBatch.ordered(TinyRar.tokens(LABELS.length), orders, classes));
            NDArray uncond_BTV = tiny.model.logits(s, RarBatch.ordered(TinyRar.tokens(LABELS.length), orders, none));
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                float[] cond = s.narrow(cond_BTV, 1, t, 1).duplicate().toFloatArray();
                float[] uncond = s.narrow(uncond_BTV, 1, t, 1).duplicate().toFloatArray();
                double scale = guidance.isOn() ? guidance.at(t, TinyRar.TOKENS) : 1;
                logits[t] = new float[cond.length];
                for (int i = 0; i < cond.length; i++) {
                    logits[t][i] = (float) (uncond[i] + scale * (cond[i] - uncond[i]));
                }
            }
        }
        return logits;
    }

    @ParameterizedTest
    @CsvSource({"ADALN", "PLAIN"})
    void bfloat16LogitsAreNearThoseOfFloat32(Conditioning conditioning) {
        try (TinyRar tiny = new TinyRar(TinyRar.config(conditioning, true));
                RarModel bfloat16 = RarModel.forSampling(tiny.config, tiny.weights, Precision.BF16)) {
            int[][] orders = TinyRar.shuffled(LABELS.length);
            float[][] exact = alongTokens(tiny, tiny.model, Guidance.NONE, orders);
            float[][] rounded = alongTokens(tiny, bfloat16, Guidance.NONE, orders);
            double largest = 0;
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                // Eight bits of mantissa through two blocks, with logits of up to 4.
                assertThat(rounded[t]).as("step " + t).containsExactly(exact[t], within(0.1f));
                for (int i = 0; i < exact[t].length; i++) {
                    largest = Math.max(largest, Math.abs(rounded[t][i] - exact[t][i]));
                }
            }
            assertThat(largest).as("bfloat16 rounds").isGreaterThan(1e-4);
        }
    }

    @Test
    void aSeedGivesItsTokensAndAnotherSeedOthers() {
        try (TinyRar tiny = TinyRar.adaln()) {
            int before = tiny.manager.getManagedArrays().size();
            Request[] requests = {new Request(1, 0), new Request(1, 1), new Request(6, 0)};
            long[][] first = sample(tiny, 5, requests);
            assertThat(sample(tiny, 5, requests)).isDeepEqualTo(first);
            assertThat(sample(tiny, 6, requests)[0]).isNotEqualTo(first[0]);
            assertThat(first[0]).as("another index").isNotEqualTo(first[1]);
            for (long[] row : first) {
                assertThat(row).hasSize(TinyRar.TOKENS);
                assertThat(Arrays.stream(row)).allMatch(tiny.config.space()::isImageToken);
            }
            assertThat(tiny.manager.getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void anImageDoesNotDependOnTheOthersOfItsBatch() {
        try (TinyRar tiny = TinyRar.adaln()) {
            Request image = new Request(2, 9);
            long[] tokens = sample(tiny, 5, image, new Request(1, 0), new Request(3, 1))[0];
            assertThat(sample(tiny, 5, image, new Request(6, 4), new Request(6, 5))[0])
                    .containsExactly(tokens);
            assertThat(sample(tiny, 5, new Request(0, 7), new Request(5, 8), image)[2])
                    .containsExactly(tokens);
        }
    }

    private static long[][] sample(TinyRar tiny, long seed, Request... requests) {
        RarSampler sampler = new RarSampler(tiny.model, POWER, 1);
        int[][] orders = RarSampler.orders(seed, requests, tiny.config, Optional.empty());
        return sampler.sample(tiny.manager, seed, requests, orders);
    }

    @Test
    void nearTemperatureZeroTheLikeliestTokenIsTaken() {
        try (TinyRar tiny = TinyRar.plain()) {
            RarSampler sampler = new RarSampler(tiny.model, Guidance.NONE, 1e-5);
            Request[] requests = {new Request(1, 0), new Request(6, 0)};
            int[][] orders = TinyRar.shuffled(2);
            long[][] drawn = sampler.sample(tiny.manager, 5, requests, orders);
            long[][] likeliest = sampler.run(
                    tiny.manager, new int[] {1, 6}, orders, TinyRar.TOKENS, (s, t, logits) -> s.argMax(logits, 1));
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                for (int b = 0; b < 2; b++) {
                    assertThat(drawn[b][orders[b][t]]).isEqualTo(likeliest[t][b]);
                }
            }
        }
    }

    @Test
    void tokensAreDrawnFromTheirDistribution() {
        try (TinyRar tiny = TinyRar.plain();
                TensorScope s = TensorScope.inference(tiny.manager)) {
            int images = 20_000;
            Request[] requests = new Request[images];
            Arrays.setAll(requests, i -> new Request(0, i));
            float[] logits = new float[images * 3];
            for (int i = 0; i < images; i++) {
                logits[3 * i + 1] = (float) Math.log(3);
                logits[3 * i + 2] = (float) Math.log(4);
            }
            // At temperature 1/2 the odds 1:3:4 become 1:9:16.
            long[] drawn = new RarSampler(tiny.model, Guidance.NONE, 0.5)
                    .drawing(tiny.manager, 5, requests)
                    .choose(s, 0, s.floats(logits, images, 3))
                    .toLongArray();
            double[] expected = {1 / 26.0, 9 / 26.0, 16 / 26.0};
            for (int code = 0; code < 3; code++) {
                int wanted = code;
                double share = Arrays.stream(drawn).filter(id -> id == wanted).count() / (double) images;
                assertThat(share).as("code " + code).isCloseTo(expected[code], within(0.018));
            }
        }
    }

    @Test
    void aFixedOrderIsEveryImages() {
        RarConfig config = TinyRar.config(Conditioning.PLAIN, true);
        int[][] orders = RarSampler.orders(
                1, new Request[] {new Request(0, 0), new Request(3, 1)}, config, Optional.of(ScanOrder.SPIRAL_IN));
        int[] spiral = ScanOrder.SPIRAL_IN.of(TinyRar.TOKENS);
        assertThat(orders).isDeepEqualTo(new int[][] {spiral, spiral});
    }

    @Test
    void randomOrdersDependOnSeedClassAndIndexAlone() {
        RarConfig config = TinyRar.config(Conditioning.PLAIN, true);
        Request image = new Request(3, 1);
        int[][] orders = RarSampler.orders(
                1, new Request[] {image, new Request(3, 2), new Request(4, 1)}, config, Optional.empty());
        assertThat(orders[0]).isNotEqualTo(orders[1]).isNotEqualTo(orders[2]);
        for (int[] order : orders) {
            assertThat(Arrays.stream(order).sorted().toArray()).containsExactly(TinyRar.raster(1)[0]);
        }
        assertThat(RarSampler.orders(1, new Request[] {image}, config, Optional.empty())[0])
                .containsExactly(orders[0]);
        assertThat(RarSampler.orders(2, new Request[] {image}, config, Optional.empty())[0])
                .isNotEqualTo(orders[0]);
    }

    @Test
    void aTemperatureThatIsNotPositiveIsRefused() {
        for (double temperature : new double[] {0, -1, Double.NaN}) {
            assertThatThrownBy(() -> new RarSampler(null, Guidance.NONE, temperature))
                    .hasMessage("Cannot sample at temperature " + temperature + ": give more than 0");
        }
    }
}
