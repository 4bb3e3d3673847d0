package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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

    /** The complete list; what is not on it outside the blocks is listed too. */
    @ParameterizedTest
    @EnumSource
    void ofRarBTheseTensorsDecayAndNoOthers(Conditioning conditioning) {
        RarConfig config = new RarConfig(768, 24, 16, 3072, 256, 1024, 1000, conditioning, true);
        List<String> matrices =
                new ArrayList<>(List.of("attn.qkv.weight", "attn.proj.weight", "mlp.fc1.weight", "mlp.fc2.weight"));
        if (conditioning == Conditioning.ADALN) {
            matrices.add("adaLN_modulation.1.weight");
        }
        List<String> decayed = new ArrayList<>(List.of("cls_token", "lm_head.weight"));
        for (int block = 0; block < 24; block++) {
            for (String matrix : matrices) {
                decayed.add("blocks." + block + "." + matrix);
            }
        }
        assertThat(decayed).hasSize(conditioning == Conditioning.ADALN ? 122 : 98);
        Set<String> names = config.parameters().byName().keySet();
        assertThat(names.stream().filter(config::decays)).containsExactlyInAnyOrderElementsOf(decayed);
        assertThat(names).hasSize(conditioning == Conditioning.ADALN ? 441 : 392);
        assertThat(names.stream().filter(name -> !name.startsWith("blocks.") && !config.decays(name)))
                .containsExactlyElementsOf(
                        conditioning == Conditioning.ADALN
                                ? List.of(
                                        "pos_embed",
                                        "target_aware_pos_embed",
                                        "timesteps_embeddings",
                                        "embeddings.weight",
                                        "adaln_before_head.adaLN_modulation.1.weight",
                                        "adaln_before_head.adaLN_modulation.1.bias",
                                        "lm_head.bias")
                                : List.of(
                                        "pos_embed",
                                        "target_aware_pos_embed",
                                        "embeddings.weight",
                                        "norm.weight",
                                        "norm.bias",
                                        "lm_head.bias"));
    }

    /** Millions of parameters: with adaLN those of the paper's Table 1, and of its ablations' plain models. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "S, 768, 12, 3072, 133.34, 89.37",
        "B, 768, 24, 3072, 260.92, 174.43",
        "L, 1024, 24, 4096, 461.67, 308.06",
        "XL, 1280, 32, 5120, 955.43, 636.87",
        "XXL, 1408, 40, 6144, 1498.52, 1017.93"
    })
    void thePublishedModelsHaveTheirPublishedSizes(
            String size, int hidden, int layers, int mlp, double adaln, double plain) {
        assertThat(millions(new RarConfig(hidden, layers, 16, mlp, 256, 1024, 1000, Conditioning.ADALN, true)))
                .isCloseTo(adaln, within(0.006));
        assertThat(millions(new RarConfig(hidden, layers, 16, mlp, 256, 1024, 1000, Conditioning.PLAIN, true)))
                .isCloseTo(plain, within(0.006));
    }

    private static double millions(RarConfig config) {
        return config.parameters().elements() / 1e6;
    }

    @Test
    void impossibleExtentsAreRefused() {
        assertThatThrownBy(() -> RarConfig.of(16, 0, 2, 24, 64, 32, 7))
                .hasMessage("Cannot build a RAR model with a size of 0");
        assertThatThrownBy(() -> RarConfig.of(16, 1, 3, 24, 64, 32, 7))
                .hasMessage("Cannot split a width of 16 over 3 heads: give a multiple of the number of heads");
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
