package io.github.rarspark.kernel.vqgan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class VqganCostTest {
    private static final VqganCost COST = new VqganCost(new VqganConfig(32, List.of(1, 2), 1, 4, 8));
    private static final int FULL = 8 * 8;
    private static final int HALF = 4 * 4;

    /** By hand, for 8 by 8 pixels; the last convolution before the codes has a kernel of one. */
    @Test
    void encodingIsTheSumOfItsConvolutions() {
        int full = 3 * 32 * 9 + 2 * 32 * 32 * 9;
        int half = 32 * 64 * 9 + 64 * 64 * 9 + 64 * 64 + 2 * 64 * 64 * 9 + 64 * 4;
        assertThat(COST.encodeFlop(8)).isEqualTo(2 * (full * FULL + half * HALF));
    }

    /** By hand, for 8 by 8 pixels; what follows the upsampling of level 1 has the full resolution. */
    @Test
    void decodingIsTheSumOfItsConvolutions() {
        int half = 4 * 64 * 9 + 2 * 64 * 64 * 9 + 2 * 64 * 64 * 9;
        int full = 64 * 64 * 9 + 64 * 32 * 9 + 32 * 32 * 9 + 32 * 32 + 32 * 3 * 9;
        assertThat(COST.decodeFlop(8)).isEqualTo(2 * (half * HALF + full * FULL));
    }

    @Test
    void operationsGrowWithThePixels() {
        assertThat(COST.decodeFlop(24)).isEqualTo(9 * COST.decodeFlop(8));
    }
}
