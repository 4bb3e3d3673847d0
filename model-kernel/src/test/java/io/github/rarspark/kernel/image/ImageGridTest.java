package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.awt.GraphicsEnvironment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageGridTest {
    private static final int LINE = CaptionPainter.LINE;

    private static RgbImage gray(int size, int value) {
        byte[] pixels = new byte[3 * size * size];
        Arrays.fill(pixels, (byte) value);
        return new RgbImage(size, size, pixels);
    }

    private static final List<RgbImage> IMAGES = List.of(gray(100, 50), gray(100, 60), gray(100, 70), gray(100, 80));

    private static void requireFonts() {
        assumeThat(GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames())
                .as("captions need fonts, and this Java installation has none")
                .isNotEmpty();
    }

    @Test
    void columnsOfOneCaptionHaveItOnce() {
        requireFonts();
        RgbImage grid = ImageGrid.captioned(IMAGES, List.of("ant", "bee", "ant", "bee"), 2);
        assertThat(grid.width()).isEqualTo(2 + 2 * 102);
        assertThat(grid.height()).isEqualTo(LINE + 2 + 2 * 102);
        assertThat(ink(grid, 0, LINE)).isPositive();
        assertThat(value(grid, 2, LINE + 2)).isEqualTo(50);
        assertThat(value(grid, 104, LINE + 2 + 102 + 99)).isEqualTo(80);
    }

    @Test
    void otherwiseEachImageHasItsOwn() {
        requireFonts();
        RgbImage grid = ImageGrid.captioned(IMAGES, List.of("ant", "bee", "cow", "bee"), 2);
        assertThat(grid.height()).isEqualTo(2 + 2 * (LINE + 102));
        assertThat(value(grid, 2, LINE + 2)).isEqualTo(50);
        assertThat(value(grid, 2, LINE + 2 + 100 + 2 + LINE)).isEqualTo(70);
        assertThat(ink(grid, 0, LINE)).isPositive();
        assertThat(ink(grid, LINE + 102 + 1, LINE)).isPositive();
        assertThat(grid.pixels())
                .isNotEqualTo(ImageGrid.captioned(IMAGES, List.of("ant", "bee", "pig", "bee"), 2)
                        .pixels());
    }

    @Test
    void aLongCaptionStaysAboveItsImage() {
        requireFonts();
        String name = "a name that is much longer than a hundred pixels are wide";
        RgbImage grid = ImageGrid.captioned(IMAGES.subList(0, 2), List.of(name, ""), 2);
        assertThat(ink(grid, 0, LINE)).isPositive();
        for (int y = 0; y < LINE; y++) {
            for (int x = 104; x < grid.width(); x++) {
                assertThat(value(grid, x, y)).as("%d %d", x, y).isEqualTo(255);
            }
        }
    }

    @Test
    void smallImagesAreEnlarged() {
        RgbImage image = new RgbImage(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
        assertThat(image.enlarged(2).pixels())
                .containsExactly(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6);
        RgbImage grid = ImageGrid.captioned(List.of(gray(28, 9)), List.of("ant"), 10);
        assertThat(grid.width()).isEqualTo(3 * 28 + 4);
        assertThat(value(grid, 2 + 83, LINE + 2 + 83)).isEqualTo(9);
    }

    @Test
    void aPageHasItsLinesAboveItsParts() {
        requireFonts();
        RgbImage page = ImageGrid.page(List.of("ant", "bee"), List.of(gray(100, 50), gray(40, 60)));
        assertThat(page.width()).isEqualTo(100);
        assertThat(page.height()).isEqualTo(2 + 2 * LINE + 140);
        assertThat(ink(page, 2, LINE)).isPositive();
        assertThat(ink(page, 2 + LINE, LINE)).isPositive();
        assertThat(value(page, 99, 2 + 2 * LINE + 99)).isEqualTo(50);
        assertThat(value(page, 39, 2 + 2 * LINE + 139)).isEqualTo(60);
        assertThat(value(page, 40, 2 + 2 * LINE + 139)).isEqualTo(255);
    }

    @Test
    void everyImageNeedsACaption() {
        assertThatThrownBy(() -> ImageGrid.captioned(IMAGES, List.of("ant"), 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("1 captions for 4 images");
    }

    private static int value(RgbImage image, int x, int y) {
        return image.pixels()[3 * (y * image.width() + x)] & 0xff;
    }

    /** How many pixels of some lines are not white. */
    private static long ink(RgbImage image, int top, int lines) {
        return IntStream.range(top * image.width(), (top + lines) * image.width())
                .filter(pixel -> (image.pixels()[3 * pixel] & 0xff) < 255)
                .count();
    }
}
