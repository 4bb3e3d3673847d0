package io.github.rarspark.kernel.image;

import java.util.ArrayList;
import java.util.List;

/**
 * Which square crops of an image are tokenized. All are cut from one {@linkplain Crops#centerCrop centre crop}, their
 * source, so that an image is decoded and scaled once.
 */
public enum CropSet {
    /**
     * From a source of 1.1 times the size, the top left, top right, bottom left, bottom right and centre, then the same
     * five of its mirror image.
     */
    TEN_CROP(10),
    /** The centre crop and its mirror image. */
    CENTER_FLIP(2),
    /** The centre crop. */
    CENTER(1);

    private static final double TEN_CROP_MARGIN = 1.1;

    private final int count;

    CropSet(int count) {
        this.count = count;
    }

    /**
     * A crop's place.
     *
     * @param left its first column
     * @param top its first row
     * @param mirrored whether these are columns and rows of the mirror image of the source
     */
    public record Window(int left, int top, boolean mirrored) {}

    /** The number of crops. */
    public int count() {
        return count;
    }

    /** The side of the source of crops of {@code size x size} pixels. */
    public int sourceSide(int size) {
        return this == TEN_CROP ? (int) (TEN_CROP_MARGIN * size) : size;
    }

    /** The source of crops of {@code size x size} pixels. */
    public RgbImage source(RgbImage image, int size) {
        return Crops.centerCrop(image, sourceSide(size));
    }

    /** The places of crops of {@code size x size} pixels in their source, in the order of their numbers. */
    public List<Window> windows(int size) {
        int slack = sourceSide(size) - size;
        int middle = (int) Math.rint(slack / 2.0);
        List<Window> windows = new ArrayList<>();
        for (boolean mirrored : new boolean[] {false, true}) {
            if (this == TEN_CROP) {
                windows.add(new Window(0, 0, mirrored));
                windows.add(new Window(slack, 0, mirrored));
                windows.add(new Window(0, slack, mirrored));
                windows.add(new Window(slack, slack, mirrored));
            }
            windows.add(new Window(middle, middle, mirrored));
        }
        return List.copyOf(windows.subList(0, count));
    }

    /** The crops of an image. */
    public List<RgbImage> of(RgbImage image, int size) {
        RgbImage source = source(image, size);
        RgbImage mirror = count > 1 ? source.mirrored() : source;
        return windows(size).stream()
                .map(at -> (at.mirrored() ? mirror : source).cut(at.left(), at.top(), size))
                .toList();
    }
}
