package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Shape of the VQGAN tokenizer. */
public record TokenizerSettings(
        @Setting(value = "128", range = "[32, )", doc = "Channels of the first level, a multiple of 32.")
                int hiddenChannels,
        @Setting(
                        value = "1,1,2,2,4",
                        doc = "Channel multiplier of each level; each level after the first halves the side.")
                List<Integer> channelMult,
        @Setting(value = "2", range = "[1, )", doc = "Residual blocks of a level.") int resBlocks,
        @Setting(value = "256", range = "[1, )", doc = "Channels of a code vector.") int zChannels,
        @Setting(value = "1024", range = "[2, 32768]", doc = "Number of code vectors.") int codes)
        implements Serializable {

    /** Checks that group norm's 32 groups divide the channels. */
    public TokenizerSettings {
        channelMult = List.copyOf(channelMult);
        require(
                hiddenChannels % 32 == 0,
                "Cannot use tokenizer.hidden_channels=%d: group norm has 32 groups; give a multiple of 32",
                hiddenChannels);
        require(
                !channelMult.isEmpty() && channelMult.stream().allMatch(mult -> mult >= 1),
                "Cannot use tokenizer.channel_mult=%s: give one integer of at least 1 for each level",
                Key.format(channelMult));
    }

    /** By how much the side of an image shrinks from pixels to tokens. */
    public int downsampling() {
        return 1 << (channelMult.size() - 1);
    }
}
