package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;

/** Shape of the RAR transformer (Table 1 of the paper). */
public record ModelSettings(
        @Setting(value = "768", range = "[1, )", doc = "Width of the residual stream.") int hidden,
        @Setting(value = "24", range = "[1, )", doc = "Transformer blocks.") int layers,
        @Setting(value = "16", range = "[1, )", doc = "Attention heads; they divide the width evenly.") int heads,
        @Setting(value = "3072", range = "[1, )", doc = "Width inside the MLP.") int mlp,
        @Setting(
                        value = "256",
                        range = "[1, )",
                        doc = "Tokens of an image: the square of image.size over the tokenizer's downsampling.")
                int tokens,
        @Setting(value = "1024", range = "[2, 32768]", doc = "Size of the vocabulary, the same as tokenizer.codes.")
                int codes,
        @Setting(value = "1000", range = "[1, )", doc = "Classes that can be asked for.") int classes,
        @Setting(value = "0.1", range = "[0, 1)", doc = "Probability of each dropout while training.") double dropout,
        @Setting(value = "adaln", doc = "How the class conditions a block.") Conditioning conditioning,
        @Setting(
                        value = "true",
                        doc = "Add the position of the token to predict next (target-aware positional embedding).")
                boolean targetAware)
        implements Serializable {

    /** Checks that the heads divide the width. */
    public ModelSettings {
        require(
                hidden % heads == 0,
                "Cannot use model.hidden=%d with model.heads=%d: the heads share the width evenly;"
                        + " make it a multiple of the heads",
                hidden,
                heads);
    }
}
