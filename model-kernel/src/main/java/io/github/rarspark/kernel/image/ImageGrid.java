package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Lays out images in a grid, for people to look at. */
public final class ImageGrid {
    private static final byte WHITE = (byte) 0xff;
    private static final int PADDING = 2;

    /** Narrower images are enlarged, so that a caption fits. */
    private static final int CAPTION_WIDTH = 72;

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
        return lay(images, columns, padding, 0, 0);
    }

    /**
     * The same with a caption above each image, or above the first row alone if the images of each column have the same.
     * Small images are enlarged by a whole factor. Captions that are too long are cut; there are none where Java has no
     * font.
     *
     * @param captions one for each image
     */
    public static RgbImage captioned(List<RgbImage> images, List<String> captions, int columns) {
        if (images.size() != captions.size()) {
            throw new IllegalArgumentException(captions.size() + " captions for " + images.size() + " images");
        }
        int width = images.isEmpty() ? 1 : images.get(0).width();
        int factor = (CAPTION_WIDTH + width - 1) / width;
        List<RgbImage> shown =
                images.stream().map(image -> image.enlarged(factor)).toList();
        boolean header = IntStream.range(columns, captions.size())
                .allMatch(i -> captions.get(i).equals(captions.get(i % columns)));
        int line = CaptionPainter.LINE;
        RgbImage grid = header ? lay(shown, columns, PADDING, line, 0) : lay(shown, columns, PADDING, 0, line);
        int cell = factor * width + PADDING;
        int row = factor * images.get(0).height() + PADDING + line;
        try (CaptionPainter painter = CaptionPainter.on(grid)) {
            for (int i = 0; i < (header ? Math.min(columns, captions.size()) : captions.size()); i++) {
                int left = PADDING + i % columns * cell;
                int top = i / columns * row;
                painter.draw(captions.get(i), left, top, factor * width);
            }
        }
        return grid;
    }

    /**
     * A white page with lines of text and images below them, from top to bottom. There is no text where Java has no font.
     *
     * @param parts at least one, of any sizes
     */
    public static RgbImage page(List<String> lines, List<RgbImage> parts) {
        int width = parts.stream().mapToInt(RgbImage::width).max().orElseThrow();
        int text = PADDING + CaptionPainter.LINE * lines.size();
        int height = text + parts.stream().mapToInt(RgbImage::height).sum();
        byte[] pixels = new byte[Math.multiplyExact(CHANNELS * width, height)];
        Arrays.fill(pixels, WHITE);
        int top = text;
        for (RgbImage part : parts) {
            copy(part, pixels, width, 0, top);
            top += part.height();
        }
        RgbImage page = new RgbImage(width, height, pixels);
        try (CaptionPainter painter = CaptionPainter.on(page)) {
            for (int i = 0; i < lines.size(); i++) {
                painter.draw(lines.get(i), PADDING, PADDING + CaptionPainter.LINE * i, width - 2 * PADDING);
            }
        }
        return page;
    }

    /** Leaves {@code header} pixels free above the first row and {@code above} more above each. */
    private static RgbImage lay(List<RgbImage> images, int columns, int padding, int header, int above) {
        if (images.isEmpty() || columns <= 0 || padding < 0) {
            throw new IllegalArgumentException("Cannot lay out " + images.size() + " images in " + columns
                    + " columns with a padding of " + padding);
        }
        int width = images.get(0).width();
        int height = images.get(0).height();
        int across = Math.min(columns, images.size());
        int down = (images.size() + across - 1) / across;
        int gridWidth = padding + across * (width + padding);
        int gridHeight = header + padding + down * (above + height + padding);
        byte[] pixels = new byte[Math.multiplyExact(CHANNELS * gridWidth, gridHeight)];
        Arrays.fill(pixels, WHITE);
        for (int i = 0; i < images.size(); i++) {
            RgbImage image = images.get(i);
            if (image.width() != width || image.height() != height) {
                throw new IllegalArgumentException("A grid of " + width + " x " + height
                        + " pixels cannot contain an image of " + image.width() + " x " + image.height());
            }
            int left = padding + i % across * (width + padding);
            int top = header + padding + above + i / across * (above + height + padding);
            copy(image, pixels, gridWidth, left, top);
        }
        return new RgbImage(gridWidth, gridHeight, pixels);
    }

    /** Copies an image into {@code pixels} of a wider one. */
    private static void copy(RgbImage image, byte[] pixels, int width, int left, int top) {
        int row = CHANNELS * image.width();
        for (int y = 0; y < image.height(); y++) {
            System.arraycopy(image.pixels(), y * row, pixels, CHANNELS * ((top + y) * width + left), row);
        }
    }
}
