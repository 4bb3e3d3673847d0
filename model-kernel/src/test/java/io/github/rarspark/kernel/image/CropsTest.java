package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the golden crops, of one size whose margins are even, do not show. */
class CropsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 31, 255, 256})
    void anImageOfExactlyTheSizeIsItsOwnCentreCrop(int size) {
        RgbImage image = noise(size, size);
        RgbImage crop = Crops.centerCrop(image, size);
        assertThat(crop.width()).isEqualTo(size);
        assertThat(crop.height()).isEqualTo(size);
        assertThat(crop.pixels()).isEqualTo(image.pixels());
    }

    /** As for 256 pixels, where the margin is 25 and the middle begins at 12. */
    @ParameterizedTest
    @CsvSource({"16, 17, 0", "35, 38, 2", "256, 281, 12"})
    void theMiddleOfAnOddMarginIsRoundedToTheEvenPixel(int size, int large, int offset) {
        RgbImage image = noise(large, large);
        List<RgbImage> crops = Crops.tenCrop(image, size);
        assertThat(crops).hasSize(10);
        assertThat(crops.get(4).pixels())
                .isEqualTo(image.cut(offset, offset, size).pixels());
        assertThat(crops.get(9).pixels())
                .isEqualTo(image.mirrored().cut(offset, offset, size).pixels());
    }

    @ParameterizedTest
    @CsvSource({"TEN_CROP, 10, 281", "CENTER_FLIP, 2, 256", "CENTER, 1, 256"})
    void allCropsAreCutFromOneSource(CropSet set, int count, int side) {
        RgbImage image = noise(300, 290);
        RgbImage source = set.source(image, 256);
        assertThat(source.width()).isEqualTo(side).isEqualTo(set.sourceSide(256));
        assertThat(source.pixels()).isEqualTo(Crops.centerCrop(image, side).pixels());
        assertThat(set.count()).isEqualTo(count);
        assertThat(set.windows(256)).hasSize(count);
        assertThat(set.of(image, 256)).hasSize(count);
    }

    private static RgbImage noise(int width, int height) {
        byte[] pixels = new byte[3 * width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 31 ^ i >> 7);
        }
        return new RgbImage(width, height, pixels);
    }
}
