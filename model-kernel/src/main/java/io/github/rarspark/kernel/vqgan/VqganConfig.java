package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The architecture of a tokenizer. The public one for 256 pixels is {@code (128, [1, 1, 2, 2, 4], 2, 256, 1024)}.
 *
 * @param hidden channels after the first convolution
 * @param channelMult width of each level in units of {@code hidden}, from the full resolution down
 * @param resBlocks residual blocks per level, and in the middle
 * @param zChannels channels of a latent and of a code
 * @param codes entries of the codebook
 */
public record VqganConfig(int hidden, List<Integer> channelMult, int resBlocks, int zChannels, int codes)
        implements Serializable {
    /** Groups of every group normalization; divides each level's width. */
    static final int NORM_GROUPS = 32;

    /** Checks that the sizes are valid. */
    public VqganConfig {
        channelMult = List.copyOf(channelMult);
        if (hidden < 1 || hidden % NORM_GROUPS != 0) {
            throw new DataException("Cannot build a tokenizer of " + hidden
                    + " hidden channels: expected a multiple of " + NORM_GROUPS);
        }
        if (channelMult.isEmpty() || channelMult.stream().anyMatch(mult -> mult < 1)) {
            throw new DataException("Cannot build a tokenizer with the channel multipliers " + channelMult
                    + ": expected at least one, all positive");
        }
        if (resBlocks < 1 || zChannels < 1 || codes < 1) {
            throw new DataException("Cannot build a tokenizer of " + resBlocks + " blocks per level, " + zChannels
                    + " latent channels and " + codes + " codes: all must be positive");
        }
    }

    /**
     * Infers the architecture of a tokenizer from the shapes of its weights.
     *
     * @throws DataException if the file lacks the tensors that determine them
     */
    public static VqganConfig of(TensorFile file) {
        int hidden = (int) dimension(file, "encoder.conv_in.weight", 0);
        List<Integer> channelMult = new ArrayList<>();
        while (file.names().contains("encoder.down." + channelMult.size() + ".block.0.conv1.weight")) {
            long width = dimension(file, "encoder.down." + channelMult.size() + ".block.0.conv1.weight", 0);
            channelMult.add((int) (width / Math.max(1, hidden)));
        }
        int resBlocks = 0;
        while (file.names().contains("encoder.mid." + resBlocks + ".conv1.weight")) {
            resBlocks++;
        }
        return new VqganConfig(
                hidden, channelMult, resBlocks, (int) dimension(file, "quantize.embedding.weight", 1), (int)
                        dimension(file, "quantize.embedding.weight", 0));
    }

    private static long dimension(TensorFile file, String name, int axis) {
        TensorInfo info = file.tensor(name);
        if (info.shape().dimension() <= axis) {
            throw new DataException("Tensor '" + name + "' of " + file.file() + " has the shape " + info.shape()
                    + ", which no tokenizer has");
        }
        return info.shape().get(axis);
    }

    /** The number of levels; each but the last halves the side. */
    public int levels() {
        return channelMult.size();
    }

    /** The ratio of the image's side to the token grid's. */
    public int downsampling() {
        return 1 << levels() - 1;
    }

    /** The channels of a level, 0 being the full resolution. */
    int width(int level) {
        return hidden * channelMult.get(level);
    }

    /** The configuration as a weight file's metadata. */
    public Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("kind", "vqgan");
        metadata.put("hidden_channels", Integer.toString(hidden));
        metadata.put("channel_mult", channelMult.toString());
        metadata.put("res_blocks", Integer.toString(resBlocks));
        metadata.put("z_channels", Integer.toString(zChannels));
        metadata.put("codes", Integer.toString(codes));
        return metadata;
    }

    /** The parameters under the names of the public weight files. */
    public ParameterTable table() {
        return new Table().build();
    }

    /** Builds the table in the order of the public weight files. */
    private final class Table {
        private final List<ParameterSpec> specs = new ArrayList<>();

        ParameterTable build() {
            conv("encoder.conv_in", 3, hidden, 3, false);
            int width = hidden;
            for (int level = 0; level < levels(); level++) {
                blocks("encoder.down." + level + ".block.", width, width(level));
                width = width(level);
            }
            blocks("encoder.mid.", width, width);
            norm("encoder.norm_out", width);
            conv("encoder.conv_out", width, zChannels, 1, true);
            conv("decoder.conv_in", zChannels, width, 3, true);
            blocks("decoder.mid.", width, width);
            for (int level = 0; level < levels(); level++) {
                int above = width(Math.min(level + 1, levels() - 1));
                blocks("decoder.up." + level + ".block.", above, width(level));
                if (level > 0) {
                    conv("decoder.up." + level + ".upsample_conv", width(level), width(level), 3, true);
                }
            }
            norm("decoder.norm_out", width(0));
            conv("decoder.conv_out", width(0), 3, 3, true);
            add("quantize.embedding.weight", Init.uniform(1.0 / codes), codes, zChannels);
            return new ParameterTable(specs);
        }

        private void blocks(String prefix, int in, int out) {
            for (int block = 0; block < resBlocks; block++) {
                int from = block == 0 ? in : out;
                norm(prefix + block + ".norm1", from);
                conv(prefix + block + ".conv1", from, out, 3, false);
                norm(prefix + block + ".norm2", out);
                conv(prefix + block + ".conv2", out, out, 3, false);
                if (from != out) {
                    conv(prefix + block + ".nin_shortcut", out, out, 1, false);
                }
            }
        }

        private void norm(String name, int channels) {
            add(name + ".weight", Init.ones(), channels);
            add(name + ".bias", Init.zeros(), channels);
        }

        private void conv(String name, int in, int out, int kernel, boolean bias) {
            Init init = Init.fanIn((long) in * kernel * kernel);
            add(name + ".weight", init, out, in, kernel, kernel);
            if (bias) {
                add(name + ".bias", init, out);
            }
        }

        private void add(String name, Init init, long... shape) {
            specs.add(new ParameterSpec(name, new Shape(shape), init));
        }
    }
}
