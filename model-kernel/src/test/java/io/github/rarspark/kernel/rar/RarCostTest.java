package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.kernel.rar.RarCost.Work;
import io.github.rarspark.kernel.tensor.Precision;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RarCostTest {
    private static final RarConfig RAR_B = RarConfig.of(768, 24, 16, 3072, 256, 1024, 1000);

    /**
     * By hand: a position costs 2 (4 4² + 2 4 8) = 256 in the block and 16 for each position it attends to, its logits 40,
     * the modulations of a condition 2 (6 + 2) 4² = 256. Tokens attend to 1 and 2, 3, and 4 positions.
     */
    private static final RarCost TINY = new RarCost(RarConfig.of(4, 1, 2, 8, 3, 5, 2));

    @Test
    void aStepIsOnePositionAndTheFirstIsTwo() {
        assertThat(TINY.stepFlop(0)).isEqualTo(256 + 16 + 256 + 2 * 16 + 40);
        assertThat(TINY.stepFlop(1)).isEqualTo(256 + 3 * 16 + 40);
        assertThat(TINY.stepFlop(2)).isEqualTo(256 + 4 * 16 + 40);
    }

    @Test
    void anImageIsItsStepsAndTheModulationsOfItsClass() {
        int steps = 600 + 344 + 360;
        assertThat(TINY.flopPerImage(false)).isEqualTo(steps + 4 * 256);
        assertThat(TINY.flopPerImage(true)).isEqualTo(2 * steps + 4 * 256);
    }

    @Test
    void aBatchSharesItsModulationsAndReadsItsWeightsOnceForEachPosition() {
        Work work = TINY.sampling(3, 2, true, 2, Precision.BF16);
        // All four positions' modulations fit into one chunk, whatever the steps.
        assertThat(work.flop()).isEqualTo(6 * (600 + 344) + 2 * 4 * 256);
        int weights = 3 * 128 + 2 * 20 + 128;
        int cache = 6 * (1 + 2 + 3) * 2 * 4;
        int modulations = (2 * 4 + 3 * 3) * 32;
        assertThat(work.bytes()).isEqualTo(2 * (weights + cache + modulations));
        assertThat(TINY.sampling(3, 2, true, 2, Precision.FP32)).isEqualTo(new Work(work.flop(), 2 * work.bytes()));
    }

    /** Chunks of two classes have 128 positions, so the first 128 tokens need two and the first 127 one. */
    @Test
    void modulationsAreCountedInWholeChunks() {
        RarCost cost = new RarCost(RAR_B);
        double steps = 4 * IntStream.range(0, 127).mapToDouble(cost::stepFlop).sum();
        assertThat(cost.sampling(2, 2, true, 127, Precision.FP32).flop())
                .isCloseTo(steps + 2 * 128 * cost.modulationFlop(), within(1.0));
        assertThat(cost.sampling(2, 2, true, 128, Precision.FP32).flop())
                .isCloseTo(steps + 4 * cost.stepFlop(127) + 2 * 256 * cost.modulationFlop(), within(1.0));
        // The last chunk of all ends with the positions that are read, of which there are 257.
        assertThat(cost.sampling(2, 2, false, 256, Precision.FP32).flop())
                .isCloseTo(2 * cost.flopPerImage(false), within(1.0));
    }

    @Test
    void aPassOverTheWholeSequenceCostsAsMuchAsItsSteps() {
        assertThat(TINY.forwardFlop(1, 1, 4)).isEqualTo(TINY.flopPerImage(false));
        assertThat(TINY.forwardFlop(2, 1, 3)).isEqualTo(2 * (600 + 344) + 3 * 256);
    }

    /** Every matrix of the weight file but the embeddings is multiplied with. */
    @ParameterizedTest
    @EnumSource
    void weightsAreThoseOfTheParameters(Conditioning conditioning) {
        RarConfig config = new RarConfig(768, 24, 16, 3072, 256, 1024, 1000, conditioning, true);
        RarCost cost = new RarCost(config);
        assertThat(cost.blockWeights()).isEqualTo(matrices(config, "blocks\\.\\d+\\.(attn|mlp)\\..*"));
        assertThat(cost.headWeights()).isEqualTo(matrices(config, "lm_head\\..*"));
        assertThat(cost.modulationWeights()).isEqualTo(matrices(config, ".*adaLN_modulation\\..*"));
        long embeddings = config.parameters().specs().stream()
                .filter(spec -> spec.name().matches(".*(embed|embeddings|cls_token|embeddings\\.weight)"))
                .mapToLong(spec -> spec.shape().size())
                .sum();
        double counted = cost.blockWeights() + cost.headWeights() + cost.modulationWeights() + embeddings;
        // The rest are biases and normalizations.
        assertThat(counted / config.parameters().elements()).isBetween(0.998, 1.0);
    }

    private static double matrices(RarConfig config, String pattern) {
        return config.parameters().specs().stream()
                .filter(spec -> spec.name().matches(pattern) && spec.shape().dimension() == 2)
                .mapToLong(spec -> spec.shape().size())
                .sum();
    }
}
