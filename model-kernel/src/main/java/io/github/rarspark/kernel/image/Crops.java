package io.github.rarspark.kernel.image;

import io.github.rarspark.kernel.image.Resampler.Axis;
import io.github.rarspark.kernel.image.Resampler.Filter;
import java.util.ArrayList;
import java.util.List;

/**
 * The square crops that are tokenized. All begin with the centre crop of the ADM evaluation suite: halve with a box
 * filter while the shorter side is at least twice the target size, scale the shorter side to that size with a bicubic
 * filter, crop the centre.
 */
public final class Crops {
    private static final double TEN_CROP_MARGIN = 1.1;

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

    /** The centre crop and its mirror image: two rows of training data. */
    public static List<RgbImage> centerFlip(RgbImage image, int size) {
        RgbImage crop = centerCrop(image, size);
        return List.of(crop, crop.mirrored());
    }

    /**
     * Ten rows of training data: from a centre crop of 1.1 times the size, the top left, top right, bottom left, bottom
     * right and centre, then the same five of its mirror image.
     */
    public static List<RgbImage> tenCrop(RgbImage image, int size) {
        RgbImage large = centerCrop(image, (int) (TEN_CROP_MARGIN * size));
        List<RgbImage> crops = new ArrayList<>(fiveCrop(large, size));
        crops.addAll(fiveCrop(large.mirrored(), size));
        return crops;
    }

    private static List<RgbImage> fiveCrop(RgbImage image, int size) {
        int slack = image.width() - size;
        int middle = (int) Math.rint(slack / 2.0);
        return List.of(
                image.cut(0, 0, size),
                image.cut(slack, 0, size),
                image.cut(0, slack, size),
                image.cut(slack, slack, size),
                image.cut(middle, middle, size));
    }
}
