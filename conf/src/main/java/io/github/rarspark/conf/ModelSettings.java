package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;

/** Architecture of the RAR transformer (Table 1 of the paper). */
@Settings(
        """
        key          | type         | default | range      | hashed | meaning
        hidden       | int          | 768     | [1, )      | yes    | Width of the residual stream.
        layers       | int          | 24      | [1, )      | yes    | Transformer blocks.
        heads        | int          | 16      | [1, )      | yes    | Attention heads; must divide the width.
        mlp          | int          | 3072    | [1, )      | yes    | Width of the hidden layer of the MLP.
        tokens       | int          | 256     | [1, )      | yes    | Tokens per image: the square of image.size over
                                                                      the tokenizer's downsampling.
        codes        | int          | 1024    | [2, 32768] | yes    | Vocabulary size; must equal tokenizer.codes.
        classes      | int          | 1000    | [1, )      | yes    | Number of classes.
        dropout      | double       | 0.1     | [0, 1)     | yes    | Probability of every dropout in training.
        conditioning | Conditioning | adaln   |            | yes    | How the class conditions the blocks.
        target_aware | boolean      | true    |            | yes    | Embed the position of the token to predict next as
                                                                      well (target-aware positional embedding).
        """)
public record ModelSettings(
        int hidden,
        int layers,
        int heads,
        int mlp,
        int tokens,
        int codes,
        int classes,
        double dropout,
        Conditioning conditioning,
        boolean targetAware)
        implements Serializable {

    /** Checks that the heads divide the width. */
    public ModelSettings {
        require(
                hidden % heads == 0,
                "Cannot use model.hidden=%d with model.heads=%d: the heads must divide the width;"
                        + " give a multiple of the number of heads",
                hidden,
                heads);
    }
}
