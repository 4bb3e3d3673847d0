package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Architecture of the VQGAN tokenizer. */
@Settings(
        """
        key             | type          | default   | range      | hashed | meaning
        hidden_channels | int           | 128       | [32, )     | yes    | Channels of the first level; a multiple of
                                                                            32.
        channel_mult    | List<Integer> | 1,1,2,2,4 |            | yes    | Channel multiplier of each level; each level
                                                                            after the first halves the side.
        res_blocks      | int           | 2         | [1, )      | yes    | Residual blocks per level.
        z_channels      | int           | 256       | [1, )      | yes    | Channels of a code vector.
        codes           | int           | 1024      | [2, 32768] | yes    | Codebook size.
        """)
public record TokenizerSettings(int hiddenChannels, List<Integer> channelMult, int resBlocks, int zChannels, int codes)
        implements Serializable {

    /** Checks that the 32 groups of group normalization divide the channels. */
    public TokenizerSettings {
        channelMult = List.copyOf(channelMult);
        require(
                hiddenChannels % 32 == 0,
                "Cannot use tokenizer.hidden_channels=%d: group normalization has 32 groups; give a multiple of 32",
                hiddenChannels);
        require(
                !channelMult.isEmpty() && channelMult.stream().allMatch(mult -> mult >= 1),
                "Cannot use tokenizer.channel_mult=%s: give one positive integer per level",
                Key.format(channelMult));
    }

    /** The ratio of an image's side to the token grid's. */
    public int downsampling() {
        return 1 << (channelMult.size() - 1);
    }
}
