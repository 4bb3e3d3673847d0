package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class PixelsTest {
    private static final RgbImage FIRST = new RgbImage(2, 1, new byte[] {0, 1, 2, -1, -2, -3});
    private static final RgbImage SECOND = new RgbImage(2, 1, new byte[] {10, 20, 30, 40, 50, 60});

    @Test
    void batchesHoldPlanesOfEachImage() {
        assertThat(Pixels.toFloats(List.of(FIRST, SECOND)))
                .containsExactly(
                        0,
                        1,
                        1 / 255f,
                        254 / 255f,
                        2 / 255f,
                        253 / 255f,
                        10 / 255f,
                        40 / 255f,
                        20 / 255f,
                        50 / 255f,
                        30 / 255f,
                        60 / 255f);
        assertThatThrownBy(() -> Pixels.toFloats(List.of(FIRST, new RgbImage(1, 1, new byte[3]))))
                .hasMessage("Cannot add to a batch of 2 x 1 pixels an image of 1 x 1");
    }

    @Test
    void valuesAreLimitedAndTruncated() {
        float[] floats = {-0.5f, 1.5f, 0.999f, 0.5f, 0.0039f, 1};
        List<RgbImage> images = Pixels.toImages(floats, 2, 1);
        assertThat(images).hasSize(1);
        assertThat(images.get(0).pixels()).containsExactly(0, (byte) 254, 0, (byte) 255, 127, (byte) 255);
        assertThatThrownBy(() -> Pixels.toImages(new float[7], 2, 1))
                .hasMessage("Cannot split 7 values into images of 2 x 1 pixels");
    }

    @Test
    void gridsRunRowByRowOnWhite() {
        RgbImage black = new RgbImage(1, 1, new byte[3]);
        RgbImage grid = ImageGrid.of(List.of(black, black, black), 2, 1);
        assertThat(grid.width()).isEqualTo(5);
        assertThat(grid.height()).isEqualTo(5);
        StringBuilder picture = new StringBuilder();
        for (int i = 0; i < 25; i++) {
            picture.append(grid.pixels()[3 * i] == 0 ? '#' : '.');
        }
        assertThat(picture.toString()).isEqualTo("....." + ".#.#." + "....." + ".#..." + ".....");
        assertThat(ImageGrid.of(List.of(FIRST), 8, 0).pixels()).isEqualTo(FIRST.pixels());
    }

    @Test
    void extremeShapesStayWithinTheMemoryOfTheirPixels() {
        RgbImage line = new RgbImage(1, 3_000_000, new byte[9_000_000]);
        assertThat(Crops.tenCrop(line, 256)).hasSize(10).allMatch(crop -> crop.width() == 256 && crop.height() == 256);
    }

    @Test
    void theSecondRowOfAFlippedPairIsTheMirrorImage() {
        RgbImage image = new RgbImage(2, 2, new byte[] {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
        List<RgbImage> pair = Crops.centerFlip(image, 2);
        assertThat(pair.get(0).pixels()).isEqualTo(image.pixels());
        assertThat(pair.get(1).pixels()).containsExactly(2, 2, 2, 1, 1, 1, 4, 4, 4, 3, 3, 3);
    }
}
