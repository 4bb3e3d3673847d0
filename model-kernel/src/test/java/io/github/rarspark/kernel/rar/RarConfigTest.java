package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RarConfigTest {
    @Test
    void exactlyTheMatricesOfTheBlocksTheHeadAndTheClsTokenDecay() {
        RarConfig config = TinyRar.config(Conditioning.ADALN, true);
        assertThat(config.parameters().byName().keySet().stream().filter(config::decays))
                .containsExactly(
                        "cls_token",
                        "blocks.0.attn.qkv.weight",
                        "blocks.0.attn.proj.weight",
                        "blocks.0.mlp.fc1.weight",
                        "blocks.0.mlp.fc2.weight",
                        "blocks.0.adaLN_modulation.1.weight",
                        "blocks.1.attn.qkv.weight",
                        "blocks.1.attn.proj.weight",
                        "blocks.1.mlp.fc1.weight",
                        "blocks.1.mlp.fc2.weight",
                        "blocks.1.adaLN_modulation.1.weight",
                        "lm_head.weight");
    }

    @Test
    void thePublishedModelsHaveTheirPublishedSizes() {
        assertThat(RarConfig.of(768, 24, 16, 3072, 256, 1024, 1000).parameters().elements() / 1e6)
                .isCloseTo(260.9, within(0.05));
        assertThat(RarConfig.of(1408, 40, 16, 6144, 256, 1024, 1000)
                                .parameters()
                                .elements()
                        / 1e6)
                .isCloseTo(1498.5, within(0.05));
    }

    @Test
    void impossibleExtentsAreRefused() {
        assertThatThrownBy(() -> RarConfig.of(16, 0, 2, 24, 64, 32, 7))
                .hasMessage("Cannot build a RAR model with an extent of 0");
        assertThatThrownBy(() -> RarConfig.of(16, 1, 3, 24, 64, 32, 7))
                .hasMessage("Cannot split a width of 16 over 3 heads: give a multiple of the heads");
    }

    @Test
    void idsAreTokensMaskClassesNoClass() {
        TokenSpace space = new TokenSpace(1024, 1000);
        assertThat(space.size()).isEqualTo(2026);
        assertThat(space.isImageToken(-1)).isFalse();
        assertThat(space.isImageToken(0)).isTrue();
        assertThat(space.isImageToken(1023)).isTrue();
        assertThat(space.isImageToken(1024)).isFalse();
        assertThat(space.classId(0)).isEqualTo(1025);
        assertThat(space.classId(999)).isEqualTo(2024);
        assertThat(space.noClass()).isEqualTo(2025);
        for (int label : new int[] {-1, 1000}) {
            assertThatThrownBy(() -> space.classId(label))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot condition on class " + label + ": the model has 0 to 999");
        }
    }

    @Test
    void guidanceFollowsItsSchedule() {
        Guidance linear = new Guidance(Guidance.Kind.LINEAR, 5, 0);
        assertThat(new double[] {linear.at(0, 4), linear.at(1, 4), linear.at(2, 4), linear.at(3, 4)})
                .containsExactly(1, 2, 3, 4);
        Guidance power = new Guidance(Guidance.Kind.POWER_COSINE, 16, 2.75);
        assertThat(power.at(0, 256)).isOne();
        assertThat(power.at(128, 256))
                .isCloseTo((1 - Math.cos(Math.PI * Math.pow(0.5, 2.75))) / 2 * 15 + 1, within(1e-12));
        assertThat(new Guidance(Guidance.Kind.POWER_COSINE, 16, 1).at(128, 256)).isCloseTo(8.5, within(1e-12));
        assertThat(new Guidance(Guidance.Kind.CONSTANT, 4, 0).at(17, 256)).isEqualTo(4);
    }

    @Test
    void powerZeroIsTheScaleAtEveryStepEvenTheFirst() {
        Guidance guidance = new Guidance(Guidance.Kind.POWER_COSINE, 4, 0);
        assertThat(guidance.at(0, 256)).isEqualTo(4);
        assertThat(guidance.at(255, 256)).isEqualTo(4);
    }

    @Test
    void aScaleOfZeroIsNoGuidance() {
        assertThat(Guidance.NONE.isOn()).isFalse();
        assertThat(new Guidance(Guidance.Kind.POWER_COSINE, 0, 2.75).isOn()).isFalse();
        assertThat(new Guidance(Guidance.Kind.LINEAR, 1, 0).isOn()).isTrue();
    }
}
