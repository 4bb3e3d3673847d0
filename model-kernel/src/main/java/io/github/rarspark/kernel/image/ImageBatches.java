package io.github.rarspark.kernel.image;

import io.github.rarspark.kernel.random.EpochOrder;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The batches of a training run over images in memory: shuffled anew in every epoch, each image mirrored with
 * probability 0.5. A batch is a function of (seed, step).
 *
 * @param images the training images, of one size
 * @param size images per batch
 * @param seed of order and mirroring
 */
public record ImageBatches(List<RgbImage> images, int size, long seed) {
    /** Checks that there are enough images, all of one size. */
    public ImageBatches {
        if (images.isEmpty() || size < 1) {
            throw new IllegalArgumentException(
                    "Cannot make batches of " + size + " out of " + images.size() + " images");
        }
        RgbImage first = images.get(0);
        if (images.stream().anyMatch(image -> image.width() != first.width() || image.height() != first.height())) {
            throw new IllegalArgumentException("Cannot make batches of images of different sizes");
        }
    }

    /** The indices of a step's images. */
    public int[] samples(long step) {
        int[] samples = new int[size];
        for (int row = 0; row < size; row++) {
            long position = step * size + row;
            EpochOrder order = new EpochOrder(seed, position / images.size(), images.size());
            samples[row] = (int) order.sampleAt(position % images.size());
        }
        return samples;
    }

    /** The pixels of a step's images in [0, 1], row-major [size, 3, height, width]. */
    public float[] pixels(long step) {
        List<RgbImage> batch = new ArrayList<>();
        int[] samples = samples(step);
        for (int row = 0; row < size; row++) {
            RgbImage image = images.get(samples[row]);
            boolean mirror = RandomStream.of(seed, Purpose.AUGMENT, step, row).nextInt(2) == 1;
            batch.add(mirror ? image.mirrored() : image);
        }
        return Pixels.toFloats(batch);
    }

    /** The shape of a batch. */
    public long[] shape() {
        return new long[] {size, 3, images.get(0).height(), images.get(0).width()};
    }
}
