package io.github.rarspark.kernel.rar;

import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The architecture of a RAR transformer.
 *
 * @param hidden width D of the residual stream
 * @param layers number of blocks
 * @param heads attention heads; divides the width
 * @param mlp width of the MLP's hidden layer
 * @param tokens image tokens T
 * @param codes tokenizer codes V
 * @param classes classes C
 * @param conditioning how the class reaches the blocks
 * @param targetAware whether each position also embeds the position of the token it predicts (Section 3.2 of the paper)
 */
public record RarConfig(
        int hidden,
        int layers,
        int heads,
        int mlp,
        int tokens,
        int codes,
        int classes,
        Conditioning conditioning,
        boolean targetAware) {

    /** Rows of the position tables beyond the tokens in the public files; only the first two of them are read. */
    static final int SPARE_POSITIONS = 1024;

    private static final int SPARE_TIMESTEPS = 100;
    private static final Set<String> UNDECAYED_NAME_PARTS =
            Set.of("ln", "bias", "latent_tokens", "mask_token", "embedding", "norm", "gamma", "embed");

    /** Checks that all sizes are positive and the heads divide the width. */
    public RarConfig {
        for (int extent : new int[] {hidden, layers, heads, mlp, tokens, codes, classes}) {
            if (extent < 1) {
                throw new IllegalArgumentException("Cannot build a RAR model with a size of " + extent);
            }
        }
        if (hidden % heads != 0) {
            throw new IllegalArgumentException("Cannot split a width of " + hidden + " over " + heads
                    + " heads: give a multiple of the number of heads");
        }
    }

    /** A configuration of the released kind: adaLN conditioning and target-aware positions. */
    public static RarConfig of(int hidden, int layers, int heads, int mlp, int tokens, int codes, int classes) {
        return new RarConfig(hidden, layers, heads, mlp, tokens, codes, classes, Conditioning.ADALN, true);
    }

    /** The ids that the model embeds. */
    public TokenSpace space() {
        return new TokenSpace(codes, classes);
    }

    /** Width H of one head. */
    public int headWidth() {
        return hidden / heads;
    }

    /** Positions of the whole sequence: cls, class, T image tokens. */
    public int positions() {
        return tokens + 2;
    }

    /**
     * Whether weight decay applies to a parameter: to matrices whose names contain none of the public code's
     * exceptions.
     */
    public boolean decays(String name) {
        return parameters().byName().get(name).shape().dimension() >= 2
                && UNDECAYED_NAME_PARTS.stream().noneMatch(name::contains);
    }

    /** Every tensor of the model in the order of the public state dict, with its initial values. */
    public ParameterTable parameters() {
        List<ParameterSpec> specs = new ArrayList<>();
        Init normal = Init.truncatedNormal(0.02);
        add(specs, "cls_token", Init.zeros(), 1, 1, hidden);
        add(specs, "pos_embed", normal, 1, tokens + SPARE_POSITIONS, hidden);
        if (targetAware) {
            add(specs, "target_aware_pos_embed", normal, 1, tokens + SPARE_POSITIONS, hidden);
        }
        boolean adaln = conditioning == Conditioning.ADALN;
        if (adaln) {
            add(specs, "timesteps_embeddings", normal, 1, tokens + SPARE_TIMESTEPS, hidden);
        }
        add(specs, "embeddings.weight", normal, space().size(), hidden);
        for (int i = 0; i < layers; i++) {
            String block = "blocks." + i + ".";
            norm(specs, block + "norm1", hidden);
            linear(specs, block + "attn.qkv", normal, hidden, 3 * hidden);
            norm(specs, block + "attn.q_norm", headWidth());
            norm(specs, block + "attn.k_norm", headWidth());
            linear(specs, block + "attn.proj", normal, hidden, hidden);
            norm(specs, block + "norm2", hidden);
            linear(specs, block + "mlp.fc1", normal, hidden, mlp);
            linear(specs, block + "mlp.fc2", normal, mlp, hidden);
            if (adaln) {
                linear(specs, block + "adaLN_modulation.1", Init.zeros(), hidden, 6 * hidden);
            }
        }
        if (adaln) {
            linear(specs, "adaln_before_head.adaLN_modulation.1", Init.zeros(), hidden, 2 * hidden);
        } else {
            norm(specs, "norm", hidden);
        }
        linear(specs, "lm_head", normal, hidden, codes);
        return new ParameterTable(specs);
    }

    private static void linear(List<ParameterSpec> specs, String name, Init init, int in, int out) {
        add(specs, name + ".weight", init, out, in);
        add(specs, name + ".bias", Init.zeros(), out);
    }

    private static void norm(List<ParameterSpec> specs, String name, int width) {
        add(specs, name + ".weight", Init.ones(), width);
        add(specs, name + ".bias", Init.zeros(), width);
    }

    private static void add(List<ParameterSpec> specs, String name, Init init, long... shape) {
        specs.add(new ParameterSpec(name, shape, init));
    }
}
