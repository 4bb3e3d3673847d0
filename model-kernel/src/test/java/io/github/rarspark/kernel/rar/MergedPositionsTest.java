package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("device")
class MergedPositionsTest {
    private static final int ROWS = 2;

    @ParameterizedTest
    @EnumSource
    void inItsOrderAMergedModelHasTheLogitsItHadBefore(ScanOrder order) {
        assertSameLogits(order.of(TinyRar.TOKENS), Conditioning.ADALN);
    }

    @Test
    void anyFixedOrderCanBeMergedAndPlainModelsToo() {
        int[] order = RandomStream.of(5, Purpose.SPLIT).nextPermutation(TinyRar.TOKENS);
        assertSameLogits(order, Conditioning.PLAIN);
    }

    private static void assertSameLogits(int[] order, Conditioning conditioning) {
        try (TinyRar tiny = new TinyRar(TinyRar.config(conditioning, true));
                NamedTensors merged = merged(tiny, order)) {
            RarModel model = new RarModel(tiny.config, merged);
            RarBatch batch = batch(tiny.config, order);
            float[] before = logits(tiny, tiny.model, batch);
            assertThat(logits(tiny, model, batch)).containsExactly(before, within(1e-5f));
            assertThat(sampled(tiny, model, order)).isDeepEqualTo(sampled(tiny, tiny.model, order));
            // Elsewhere the sums are wrong, which the metadata is there to prevent.
            int[] other = order.clone();
            other[0] = order[1];
            other[1] = order[0];
            RarBatch otherBatch = batch(tiny.config, other);
            assertThat(largestDifference(logits(tiny, model, otherBatch), logits(tiny, tiny.model, otherBatch)))
                    .isGreaterThan(0.01);
        }
    }

    private static NamedTensors merged(TinyRar tiny, int[] order) {
        float[] own = tiny.weights.get(MergedPositions.POSITIONS).toFloatArray();
        float[] targets = tiny.weights.get(MergedPositions.TARGETS).toFloatArray();
        return NamedTensors.create(tiny.config.parameters(), tiny.manager, spec -> switch (spec.name()) {
            case MergedPositions.POSITIONS -> MergedPositions.merge(own, targets, tiny.config.hidden(), order);
            case MergedPositions.TARGETS -> new float[targets.length];
            default -> tiny.weights.get(spec.name()).toFloatArray();
        });
    }

    private static int[][] orders(int[] order) {
        return new int[][] {order, order};
    }

    private static RarBatch batch(RarConfig config, int[] order) {
        long[] conditions = {config.space().classId(3), config.space().noClass()};
        return RarBatch.ordered(TinyRar.tokens(ROWS), orders(order), conditions);
    }

    private static float[] logits(TinyRar tiny, RarModel model, RarBatch batch) {
        try (TensorScope s = TensorScope.inference(tiny.manager)) {
            return model.logits(s, batch).toFloatArray();
        }
    }

    private static long[][] sampled(TinyRar tiny, RarModel model, int[] order) {
        RarSampler.Request[] requests = {new RarSampler.Request(1, 0), new RarSampler.Request(4, 1)};
        Guidance guidance = new Guidance(Guidance.Kind.POWER_COSINE, 4, 1);
        return new RarSampler(model, guidance, 1).sample(tiny.manager, 7, requests, orders(order));
    }

    private static double largestDifference(float[] a, float[] b) {
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }
        return largest;
    }

    @Test
    void everySumIsAtItsRow() {
        float[] positions = {0, 1, 2, 3, 4, 5};
        float[] targets = {1000, 2000, 10, 20, 30, 4000};
        assertThat(MergedPositions.merge(positions, targets, 1, new int[] {2, 0, 1}))
                .containsExactly(0, 1 + 30, 2 + 20, 3, 4 + 10, 5);
    }

    @Test
    void theMetadataNamesTheOnlyOrderThatIsAllowed() {
        Map<String, String> metadata = MergedPositions.metadata(Map.of("kind", "rar"), ScanOrder.Z_CURVE);
        assertThat(metadata)
                .containsExactlyInAnyOrderEntriesOf(Map.of("kind", "rar", "positions_merged_for", "z-curve"));
        MergedPositions.require(metadata, Optional.of(ScanOrder.Z_CURVE), "m", "generate.order");
        MergedPositions.require(Map.of(), Optional.empty(), "m", "generate.order");
        for (Optional<ScanOrder> other : List.of(Optional.<ScanOrder>empty(), Optional.of(ScanOrder.ROW_MAJOR))) {
            assertThatThrownBy(() -> MergedPositions.require(metadata, other, "m.safetensors", "generate.order"))
                    .isInstanceOf(DataException.class)
                    .hasMessage("Cannot use m.safetensors with generate.order="
                            + other.map(ScanOrder::label).orElse("random")
                            + ": its positions are merged for the order z-curve; set generate.order to that, or give"
                            + " the weights before merging");
        }
        assertThatThrownBy(() -> MergedPositions.order(Map.of("positions_merged_for", "zig-zag")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("Unknown scan order 'zig-zag': expected one of row-major, alternate, z-curve");
    }

    @Test
    void theTablesTellTheNumberOfTokens() {
        assertThat(MergedPositions.tokens(new Shape(1, 1280, 768), "m")).isEqualTo(256);
        for (Shape shape : List.of(new Shape(1, 1024, 8), new Shape(2, 1280, 8), new Shape(1280, 8))) {
            assertThatThrownBy(() -> MergedPositions.tokens(shape, "m"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("has the unexpected shape");
        }
    }
}
