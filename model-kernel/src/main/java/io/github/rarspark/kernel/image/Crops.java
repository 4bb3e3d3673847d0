package io.github.rarspark.kernel.image;

import io.github.rarspark.kernel.image.Resampler.Axis;
import io.github.rarspark.kernel.image.Resampler.Filter;
import java.util.List;

/**
 * The square crops that are tokenized. All begin with the centre crop of the ADM evaluation suite: halve with a box
 * filter while the shorter side is at least twice the target size, scale the shorter side to that size with a bicubic
 * filter, crop the centre.
 */
public final class Crops {
    private Crops() {}

    /** The centre of the image, scaled to {@code size x size} pixels. */
    public static RgbImage centerCrop(RgbImage image, int size) {
        RgbImage halved = image;
        while (Math.min(halved.width(), halved.height()) >= 2 * size) {
            halved = Resampler.resize(halved, halved.width() / 2, halved.height() / 2, Filter.BOX);
        }
        double scale = (double) size / Math.min(halved.width(), halved.height());
        return Resampler.resize(
                halved, centre(halved.width(), scale, size), centre(halved.height(), scale, size), Filter.BICUBIC);
    }

    private static Axis centre(int side, double scale, int size) {
        long scaled = (long) Math.rint(side * scale);
        return new Axis(scaled, (scaled - size) / 2, size);
    }

    /** The {@link CropSet#CENTER_FLIP centre crop and its mirror image}: two rows of training data. */
    public static List<RgbImage> centerFlip(RgbImage image, int size) {
        return CropSet.CENTER_FLIP.of(image, size);
    }

    /** {@link CropSet#TEN_CROP Ten crops}: ten rows of training data. */
    public static List<RgbImage> tenCrop(RgbImage image, int size) {
        return CropSet.TEN_CROP.of(image, size);
    }
}
