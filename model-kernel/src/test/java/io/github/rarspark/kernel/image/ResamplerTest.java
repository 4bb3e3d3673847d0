package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.image.Resampler.Axis;
import io.github.rarspark.kernel.image.Resampler.Filter;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The fast passes beside Pillow's arithmetic written down sample by sample. */
class ResamplerTest {
    private static final int CHANNELS = RgbImage.CHANNELS;

    @Test
    void imagesOfAllSizesAreWeighedSampleBySample() {
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            RgbImage image = image(random, 1 + random.nextInt(40), 1 + random.nextInt(40));
            // Every third time a side keeps its length, so that its pass is left out.
            int width = i % 3 == 1 ? image.width() : 1 + random.nextInt(60);
            int height = i % 3 == 2 ? image.height() : 1 + random.nextInt(60);
            Filter filter = i % 2 == 0 ? Filter.BOX : Filter.BICUBIC;
            RgbImage whole = Resampler.resize(image, width, height, filter);
            assertThat(whole.pixels())
                    .as("%d x %d to %d x %d, %s", image.width(), image.height(), width, height, filter)
                    .isEqualTo(sampleBySample(image, width, height, filter));

            int left = random.nextInt(width);
            int top = random.nextInt(height);
            int side = 1 + random.nextInt(Math.min(width - left, height - top));
            assertThat(Resampler.resize(image, new Axis(width, left, side), new Axis(height, top, side), filter)
                            .pixels())
                    .isEqualTo(whole.cut(left, top, side).pixels());
        }
    }

    /** Samples of all values, or only of the least and the greatest, whose sums leave the range of a byte the most. */
    private static RgbImage image(Random random, int width, int height) {
        byte[] pixels = new byte[CHANNELS * width * height];
        random.nextBytes(pixels);
        if (random.nextBoolean()) {
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (byte) (pixels[i] < 0 ? 0 : 255);
            }
        }
        return new RgbImage(width, height, pixels);
    }

    private static byte[] sampleBySample(RgbImage image, int width, int height, Filter filter) {
        byte[] narrowed = new byte[CHANNELS * width * image.height()];
        for (int i = 0; i < narrowed.length; i++) {
            int x = i / CHANNELS % width;
            int row = CHANNELS * image.width() * (i / CHANNELS / width);
            narrowed[i] = sample(image.pixels(), row + i % CHANNELS, CHANNELS, image.width(), width, x, filter);
        }
        byte[] out = new byte[CHANNELS * width * height];
        for (int i = 0; i < out.length; i++) {
            int column = i % (CHANNELS * width);
            int y = i / (CHANNELS * width);
            out[i] = sample(narrowed, column, CHANNELS * width, image.height(), height, y, filter);
        }
        return out;
    }

    /** Sample {@code at} of a line of {@code to} samples, from one of {@code from} that are {@code step} bytes apart. */
    private static byte sample(byte[] in, int start, int step, int from, int to, int at, Filter filter) {
        if (from == to) {
            return in[start + at * step];
        }
        double scale = (double) from / to;
        double stretch = Math.max(scale, 1);
        double support = stretch * (filter == Filter.BOX ? 0.5 : 2);
        double centre = (at + 0.5) * scale;
        int first = Math.max(0, (int) (centre - support + 0.5));
        int end = Math.min(from, (int) (centre + support + 0.5));
        double total = 0;
        for (int x = first; x < end; x++) {
            total += filter.weight((x - centre + 0.5) * (1 / stretch));
        }
        long sum = 1 << 21;
        for (int x = first; x < end; x++) {
            double weight = filter.weight((x - centre + 0.5) * (1 / stretch)) / total * (1 << 22);
            sum += (in[start + x * step] & 0xff) * (long) (weight + (weight < 0 ? -0.5 : 0.5));
        }
        return (byte) Math.max(0, Math.min(255, sum >> 22));
    }
}
