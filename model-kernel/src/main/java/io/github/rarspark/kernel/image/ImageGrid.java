package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import java.util.Arrays;
import java.util.List;

/** Lays out images in a grid, for people to look at. */
public final class ImageGrid {
    private static final byte WHITE = (byte) 0xff;

    private ImageGrid() {}

    /**
     * Combines images into one: row by row from the top left, on white.
     *
     * @param images at least one, all of one size
     * @param columns images per row
     * @param padding pixels between images and around them
     * @throws IllegalArgumentException if there are no images, or their sizes differ
     */
    public static RgbImage of(List<RgbImage> images, int columns, int padding) {
        if (images.isEmpty() || columns <= 0 || padding < 0) {
            throw new IllegalArgumentException("Cannot lay out " + images.size() + " images in " + columns
                    + " columns with a padding of " + padding);
        }
        int width = images.get(0).width();
        int height = images.get(0).height();
        int across = Math.min(columns, images.size());
        int down = (images.size() + across - 1) / across;
        int gridWidth = padding + across * (width + padding);
        int gridHeight = padding + down * (height + padding);
        byte[] pixels = new byte[Math.multiplyExact(CHANNELS * gridWidth, gridHeight)];
        Arrays.fill(pixels, WHITE);
        for (int i = 0; i < images.size(); i++) {
            RgbImage image = images.get(i);
            if (image.width() != width || image.height() != height) {
                throw new IllegalArgumentException("A grid of " + width + " x " + height
                        + " pixels cannot contain an image of " + image.width() + " x " + image.height());
            }
            int left = padding + i % across * (width + padding);
            int top = padding + i / across * (height + padding);
            for (int y = 0; y < height; y++) {
                System.arraycopy(
                        image.pixels(),
                        CHANNELS * y * width,
                        pixels,
                        CHANNELS * ((top + y) * gridWidth + left),
                        CHANNELS * width);
            }
        }
        return new RgbImage(gridWidth, gridHeight, pixels);
    }
}
