package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class RarModelTest {
    @Test
    void tensorsOfAnotherShapeAreRefused() {
        try (TinyRar tiny = TinyRar.adaln()) {
            RarConfig wider = new RarConfig(
                    16, 2, 2, 32, TinyRar.TOKENS, TinyRar.CODES, TinyRar.CLASSES, Conditioning.ADALN, true);
            assertThatThrownBy(() -> new RarModel(wider, tiny.weights))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot build a RAR model: blocks.0.mlp.fc1.weight has the shape (24, 16) instead of"
                            + " (32, 16)");
        }
    }

    @Test
    void aBatchOfAnotherLengthIsRefused() {
        try (TinyRar tiny = TinyRar.plain();
                TensorScope s = TensorScope.inference(tiny.manager)) {
            RarBatch batch = tiny.batch(2);
            RarBatch shorter = new RarBatch(firstHalf(batch.tokens()), firstHalf(batch.orders()), batch.conditions());
            assertThatThrownBy(() -> tiny.model.logits(s, shorter))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot use tokens_BT of shape [2, 32]: expected [2, 64]");
        }
    }

    @Test
    void aBatchWhoseShapesDisagreeIsRefused() {
        long[][] tokens = TinyRar.tokens(2);
        assertThatThrownBy(() -> new RarBatch(tokens, TinyRar.raster(3), new long[2]))
                .hasMessage("Cannot use orders_BT of shape [3, 64]: expected [2, 64]");
        assertThatThrownBy(() -> new RarBatch(tokens, firstHalf(TinyRar.raster(2)), new long[2]))
                .hasMessage("Cannot use orders_BT of shape [2, 32]: expected [2, 64]");
        assertThatThrownBy(() -> new RarBatch(tokens, TinyRar.raster(2), new long[1]))
                .hasMessage("Cannot use conditions_B of shape [1]: expected [2]");
    }

    @Test
    void theLossOfSomeRowsIsThatOfABatchOfThem() {
        try (TinyRar tiny = TinyRar.adaln();
                TensorScope s = TensorScope.training(tiny.manager)) {
            RarBatch batch = tiny.batch(5);
            RarModel.Scored scored = tiny.model.score(s, batch, KeyedDropout.NONE);
            double whole = scored.loss().getFloat();
            double some = scored.lossOf(s, batch, new int[] {1, 4});
            double others = scored.lossOf(s, batch, new int[] {0, 2, 3});
            double alone = tiny.model
                    .loss(s, batch.select(new int[] {1, 4}), KeyedDropout.NONE)
                    .getFloat();

            assertThat(some).isCloseTo(alone, within(1e-5)).isNotCloseTo(others, within(1e-3));
            assertThat((2 * some + 3 * others) / 5).isCloseTo(whole, within(1e-5));
        }
    }

    private static long[][] firstHalf(long[][] rows) {
        return Arrays.stream(rows)
                .map(row -> Arrays.copyOf(row, row.length / 2))
                .toArray(long[][]::new);
    }

    private static int[][] firstHalf(int[][] rows) {
        return Arrays.stream(rows)
                .map(row -> Arrays.copyOf(row, row.length / 2))
                .toArray(int[][]::new);
    }
}
