package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.rar.KeyedDropout.Site;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.Init;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("device")
class KeyedDropoutTest {
    private static final long SEED = 9;
    private static final long STEP = 4;
    private static final int LAYER = 1;
    private static final int POSITIONS = 64;
    private static final int HEADS = 4;

    /**
     * The mask [rows][...] that a site applies. Attention shows its own by equal scores, which weigh i+1 keys alike,
     * and values that are the unit vectors; what is above the diagonal is left out.
     */
    private static float[] mask(KeyedDropout dropout, int rows, int layer, Site site) {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            if (site != Site.ATTENTION) {
                float[] ones = new float[rows * 5001];
                Arrays.fill(ones, 1);
                return dropout.apply(s, s.floats(ones, rows, 5001), layer, site).toFloatArray();
            }
            float[] units = new float[POSITIONS * POSITIONS];
            for (int i = 0; i < POSITIONS; i++) {
                units[i * POSITIONS + i] = 1;
            }
            NDArray equal = s.zeros(rows, HEADS, POSITIONS, POSITIONS);
            NDArray values = s.expand(s.floats(units, 1, 1, POSITIONS, POSITIONS), rows, HEADS, POSITIONS, POSITIONS);
            float[] weights = dropout.causalAttention(s, layer, new Heads.Split(equal, equal, values))
                    .toFloatArray();
            float[] mask = new float[rows * HEADS * POSITIONS * (POSITIONS + 1) / 2];
            int next = 0;
            for (int i = 0; i < weights.length; i++) {
                int query = i / POSITIONS % POSITIONS;
                if (i % POSITIONS <= query) {
                    mask[next++] = weights[i] * (query + 1);
                }
            }
            return mask;
        }
    }

    private static KeyedDropout of(double rate, long firstRow, int rows) {
        return KeyedDropout.of(rate, SEED, STEP, firstRow, rows);
    }

    @ParameterizedTest
    @EnumSource
    void everySiteDropsAtTheRateAndScalesTheRest(Site site) {
        for (double rate : new double[] {0.1, 0.5}) {
            float[] mask = mask(of(rate, 0, 4), 4, LAYER, site);
            int dropped = 0;
            for (float value : mask) {
                if (value == 0) {
                    dropped++;
                } else {
                    assertThat(value).isCloseTo((float) (1 / (1 - rate)), within(1e-5f));
                }
            }
            // Five standard deviations of at least 20,004 draws.
            assertThat(dropped / (double) mask.length).isCloseTo(rate, within(0.018));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRowsMaskDependsNeitherOnItsBatchNorOnThreads(Site site) {
        int threads = Torch.intraOpThreads();
        try {
            Torch.setIntraOpThreads(1);
            float[] whole = mask(of(0.3, 10, 4), 4, LAYER, site);
            Torch.setIntraOpThreads(2);
            assertThat(mask(of(0.3, 10, 4), 4, LAYER, site)).containsExactly(whole);
            float[] secondHalf = Arrays.copyOfRange(whole, whole.length / 2, whole.length);
            assertThat(mask(of(0.3, 12, 2), 2, LAYER, site)).containsExactly(secondHalf);
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }

    @ParameterizedTest
    @EnumSource
    void seedStepRowAndLayerDrawOtherMasks(Site site) {
        List<Integer> hashes = List.of(
                Arrays.hashCode(mask(of(0.3, 0, 1), 1, 0, site)),
                Arrays.hashCode(mask(of(0.3, 0, 1), 1, 1, site)),
                Arrays.hashCode(mask(of(0.3, 1, 1), 1, 0, site)),
                Arrays.hashCode(mask(KeyedDropout.of(0.3, SEED, STEP + 1, 0, 1), 1, 0, site)),
                Arrays.hashCode(mask(KeyedDropout.of(0.3, SEED + 1, STEP, 0, 1), 1, 0, site)));
        assertThat(hashes).doesNotHaveDuplicates();
    }

    @Test
    void sitesDrawOtherMasks() {
        float[] projection = mask(of(0.3, 0, 1), 1, 0, Site.PROJECTION);
        float[] inner = mask(of(0.3, 0, 1), 1, 0, Site.MLP_INNER);
        float[] outer = mask(of(0.3, 0, 1), 1, 0, Site.MLP_OUTER);
        assertThat(inner).isNotEqualTo(projection).isNotEqualTo(outer);
        assertThat(outer).isNotEqualTo(projection);
    }

    @ParameterizedTest
    @EnumSource(names = "ATTENTION", mode = EnumSource.Mode.EXCLUDE)
    void theMaskIsThatOfTheRowsRandomStream(Site site) {
        double rate = 0.3;
        float[] mask = mask(of(rate, 6, 2), 2, LAYER, site);
        for (int row = 0; row < 2; row++) {
            RandomStream stream = RandomStream.of(SEED, Purpose.DROPOUT, STEP, 6 + row, LAYER, site.ordinal());
            for (int j = 0; j < 5001; j += 2) {
                long word = stream.nextLong();
                assertKept(mask[row * 5001 + j], word & 0xffffffffL, rate);
                if (j + 1 < 5001) {
                    assertKept(mask[row * 5001 + j + 1], word >>> 32, rate);
                }
            }
        }
    }

    @Test
    void theMaskOfAttentionIsThatOfTheRowsRandomStreamOverHeadsQueriesAndKeys() {
        double rate = 0.3;
        float[] mask = mask(of(rate, 6, 1), 1, LAYER, Site.ATTENTION);
        RandomStream stream = RandomStream.of(SEED, Purpose.DROPOUT, STEP, 6, LAYER, Site.ATTENTION.ordinal());
        int next = 0;
        long word = 0;
        for (int i = 0; i < HEADS * POSITIONS * POSITIONS; i++) {
            word = i % 2 == 0 ? stream.nextLong() : word >>> 32;
            if (i % POSITIONS <= i / POSITIONS % POSITIONS) {
                assertKept(mask[next++], word & 0xffffffffL, rate);
            }
        }
        assertThat(next).isEqualTo(mask.length);
    }

    private static void assertKept(float value, long random, double rate) {
        assertThat(value != 0).isEqualTo(random >= Math.round(rate * 0x1p32));
    }

    @Test
    void withoutDropoutNothingChanges() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.floats(new float[] {1, 2}, 1, 2);
            assertThat(KeyedDropout.NONE.apply(s, x, 0, Site.MLP_INNER)).isSameAs(x);
            assertThat(of(0, 0, 1).apply(s, x, 0, Site.MLP_INNER)).isSameAs(x);
        }
    }

    @Test
    void attentionThatDropsNearlyNothingIsAttention() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            NDArray[] qkv = new NDArray[3];
            Arrays.setAll(
                    qkv,
                    i -> s.floats(
                            Init.uniform(2).draw(2 * 3 * 17 * 8, RandomStream.of(i, Purpose.SPLIT)), 2, 3, 17, 8));
            NDArray plain = s.attention(qkv[0], qkv[1], qkv[2], true);
            NDArray dropping = s.attentionWithDropout(qkv[0], qkv[1], qkv[2], 1e-9, new long[] {1, 2});
            assertThat(dropping.toFloatArray()).containsExactly(plain.toFloatArray(), within(1e-6f));
        }
    }

    // ---- that the model asks at every site ----

    /** Only the bias of the one layer is left, and nothing but the mask after it can change that. */
    @ParameterizedTest
    @ValueSource(strings = {"attn.proj", "mlp.fc2"})
    void theOutputsOfAttentionAndMlpAreDropped(String layer) {
        try (TinyRar tiny = TinyRar.adaln()) {
            String other = layer.equals("attn.proj") ? "mlp.fc2" : "attn.proj";
            for (int i = 0; i < tiny.config.layers(); i++) {
                zero(tiny, "blocks." + i + "." + layer + ".weight");
                zero(tiny, "blocks." + i + "." + other + ".weight");
                zero(tiny, "blocks." + i + "." + other + ".bias");
            }
            assertThat(loss(tiny, of(0.5, 0, 3))).isNotEqualTo(loss(tiny, KeyedDropout.NONE));
        }
    }

    /** Which hidden unit is which matters only to a mask. */
    @Test
    void theInnerActivationsOfTheMlpAreDropped() {
        try (TinyRar tiny = TinyRar.plain()) {
            double without = loss(tiny, KeyedDropout.NONE);
            double with = loss(tiny, of(0.5, 0, 3));
            for (int i = 0; i < tiny.config.layers(); i++) {
                String mlp = "blocks." + i + ".mlp.";
                rotate(tiny, mlp + "fc1.weight", 1);
                rotate(tiny, mlp + "fc1.bias", 1);
                rotate(tiny, mlp + "fc2.weight", tiny.config.hidden());
            }
            assertThat(loss(tiny, KeyedDropout.NONE)).isCloseTo(without, within(1e-6));
            assertThat(Math.abs(loss(tiny, of(0.5, 0, 3)) - with)).isGreaterThan(1e-4);
        }
    }

    /** Which head is which matters only to a mask. */
    @Test
    void theWeightsOfAttentionAreDropped() {
        try (TinyRar tiny = TinyRar.plain()) {
            double without = loss(tiny, KeyedDropout.NONE);
            double with = loss(tiny, of(0.5, 0, 3));
            int width = tiny.config.headWidth();
            for (int i = 0; i < tiny.config.layers(); i++) {
                String attention = "blocks." + i + ".attn.";
                // The two heads change places in each of queries, keys and values, and in what reads them.
                for (String name : new String[] {"qkv.weight", "qkv.bias"}) {
                    float[] values = tiny.weights.get(attention + name).toFloatArray();
                    write(tiny, attention + name, rotated(values, 3, values.length / 6));
                }
                float[] projection = tiny.weights.get(attention + "proj.weight").toFloatArray();
                write(tiny, attention + "proj.weight", rotated(projection, tiny.config.hidden(), width));
            }
            assertThat(loss(tiny, KeyedDropout.NONE)).isCloseTo(without, within(1e-6));
            assertThat(Math.abs(loss(tiny, of(0.5, 0, 3)) - with)).isGreaterThan(1e-4);
        }
    }

    /** So whoever computes which rows of the global batch, all of them drop what one rank alone would. */
    @Test
    void theLossOfABatchIsTheMeanOfItsPartsWithTheirOwnRows() {
        try (TinyRar tiny = TinyRar.adaln()) {
            RarBatch whole = tiny.batch(4);
            try (TensorScope s = TensorScope.inference(tiny.manager)) {
                double together = tiny.model.loss(s, whole, of(0.3, 20, 4)).getFloat();
                double first =
                        tiny.model.loss(s, part(whole, 0, 1), of(0.3, 20, 1)).getFloat();
                double rest =
                        tiny.model.loss(s, part(whole, 1, 4), of(0.3, 21, 3)).getFloat();
                assertThat((first + 3 * rest) / 4).isCloseTo(together, within(1e-5));
                double others = tiny.model.loss(s, whole, of(0.3, 24, 4)).getFloat();
                assertThat(Math.abs(others - together)).isGreaterThan(1e-3);
            }
        }
    }

    private static RarBatch part(RarBatch batch, int from, int to) {
        return new RarBatch(
                Arrays.copyOfRange(batch.tokens(), from, to),
                Arrays.copyOfRange(batch.orders(), from, to),
                Arrays.copyOfRange(batch.conditions(), from, to));
    }

    /** What drops has no way into sampling and scoring: both give the loss that nothing was dropped from. */
    @Test
    void samplingAndScoringDropNothing() {
        try (TinyRar tiny = TinyRar.adaln()) {
            RarBatch batch = tiny.batch(1);
            double[] scored = new double[TinyRar.TOKENS];
            double[] sampled = new double[TinyRar.TOKENS];
            try (TensorScope s = TensorScope.inference(tiny.manager)) {
                NDArray logits_1TV = tiny.model.logits(s, batch);
                for (int t = 0; t < TinyRar.TOKENS; t++) {
                    NDArray target = s.longs(new long[] {batch.tokens()[0][t]}, 1);
                    NDArray row = s.reshape(s.narrow(logits_1TV, 1, t, 1), 1, TinyRar.CODES);
                    scored[t] = s.crossEntropy(row, target).getFloat();
                }
            }
            try (RarDecoder decoder = new RarDecoder(tiny.model, tiny.manager, batch.conditions(), batch.orders())) {
                for (int t = 0; t < TinyRar.TOKENS; t++) {
                    try (TensorScope s = TensorScope.inference(tiny.manager)) {
                        NDArray logits_1V = t == 0
                                ? decoder.prefill(s)
                                : decoder.decode(s, s.longs(new long[] {batch.tokens()[0][t - 1]}, 1));
                        NDArray target = s.longs(new long[] {batch.tokens()[0][t]}, 1);
                        sampled[t] = s.crossEntropy(logits_1V, target).getFloat();
                    }
                }
            }
            double undropped = loss(tiny, batch, KeyedDropout.NONE);
            assertThat(Arrays.stream(scored).average().orElseThrow()).isCloseTo(undropped, within(1e-5));
            assertThat(Arrays.stream(sampled).average().orElseThrow()).isCloseTo(undropped, within(1e-5));
            assertThat(Math.abs(loss(tiny, batch, of(0.1, 0, 1)) - undropped)).isGreaterThan(1e-4);
        }
    }

    private static double loss(TinyRar tiny, KeyedDropout dropout) {
        return loss(tiny, tiny.batch(3), dropout);
    }

    private static double loss(TinyRar tiny, RarBatch batch, KeyedDropout dropout) {
        try (TensorScope s = TensorScope.inference(tiny.manager)) {
            return tiny.model.loss(s, batch, dropout).getFloat();
        }
    }

    private static void zero(TinyRar tiny, String name) {
        write(tiny, name, new float[Math.toIntExact(tiny.weights.get(name).size())]);
    }

    /** Rotates the hidden units of a tensor of {@code groups} rows over them, or rows of them, by one unit. */
    private static void rotate(TinyRar tiny, String name, int groups) {
        float[] values = tiny.weights.get(name).toFloatArray();
        int unit = values.length / groups / 24;
        write(tiny, name, rotated(values, groups, unit));
    }

    /** Each of {@code groups} equal parts rotated by {@code distance}. */
    private static float[] rotated(float[] values, int groups, int distance) {
        float[] result = new float[values.length];
        int length = values.length / groups;
        for (int i = 0; i < values.length; i++) {
            int group = i / length;
            result[group * length + (i + distance) % length] = values[i];
        }
        return result;
    }

    private static void write(TinyRar tiny, String name, float[] values) {
        try (TensorScope s = TensorScope.inference(tiny.manager)) {
            NDArray tensor = tiny.weights.get(name);
            s.copy(tensor, s.floats(values, tensor.getShape().getShape()));
        }
    }
}
