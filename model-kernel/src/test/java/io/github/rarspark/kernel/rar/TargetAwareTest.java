package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Why a position is told the place of the token that it predicts (Section 3.2 and Figure 3 of the paper): two orders that
 * begin alike and go on to different places ask for different tokens, but without that they look the same.
 */
@Tag("device")
class TargetAwareTest {
    private static final int PREFIX = 5;

    @ParameterizedTest
    @EnumSource
    void withoutItTwoOrdersThatGoOnElsewhereHaveTheSameLogits(Conditioning conditioning) {
        float[][] logits = nextLogits(conditioning, false);
        assertThat(logits[0]).containsExactly(logits[1]);
    }

    @ParameterizedTest
    @EnumSource
    void withItTheirLogitsDiffer(Conditioning conditioning) {
        float[][] logits = nextLogits(conditioning, true);
        assertThat(logits[0]).isNotEqualTo(logits[1]);
        double largest = 0;
        for (int code = 0; code < TinyRar.CODES; code++) {
            largest = Math.max(largest, Math.abs(logits[0][code] - logits[1][code]));
        }
        assertThat(largest).isGreaterThan(0.1);
    }

    /** The logits of token {@code PREFIX} in two orders that part there, from the same image and class. */
    private static float[][] nextLogits(Conditioning conditioning, boolean targetAware) {
        try (TinyRar tiny = new TinyRar(TinyRar.config(conditioning, targetAware));
                TensorScope s = TensorScope.inference(tiny.manager)) {
            int[] one = TinyRar.shuffled(1)[0];
            int[] other = one.clone();
            other[PREFIX] = one[PREFIX + 1];
            other[PREFIX + 1] = one[PREFIX];
            long[] image = TinyRar.tokens(1)[0];
            long[] conditions = new long[2];
            Arrays.fill(conditions, tiny.config.space().classId(3));
            RarBatch batch = RarBatch.ordered(new long[][] {image, image}, new int[][] {one, other}, conditions);
            float[] all = tiny.model.logits(s, batch).toFloatArray();
            float[][] next = new float[2][];
            for (int b = 0; b < 2; b++) {
                int row = b * (TinyRar.TOKENS + 1);
                // Before the orders part, nothing tells them apart but the place asked for.
                assertThat(row(all, row + PREFIX - 1)).containsExactly(row(all, PREFIX - 1), within(1e-6f));
                next[b] = row(all, row + PREFIX);
            }
            return next;
        }
    }

    private static float[] row(float[] logits, int row) {
        return Arrays.copyOfRange(logits, row * TinyRar.CODES, (row + 1) * TinyRar.CODES);
    }
}
