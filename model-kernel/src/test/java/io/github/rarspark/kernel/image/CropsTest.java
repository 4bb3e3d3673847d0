package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the golden crops, of one size whose margins are even, do not show. */
class CropsTest {
    /** As for 256 pixels, where the margin is 25 and the middle begins at 12. */
    @ParameterizedTest
    @CsvSource({"16, 17, 0", "35, 38, 2", "256, 281, 12"})
    void theMiddleOfAnOddMarginIsRoundedToTheEvenPixel(int size, int large, int offset) {
        byte[] pixels = new byte[3 * large * large];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 31 ^ i >> 7);
        }
        RgbImage image = new RgbImage(large, large, pixels);
        List<RgbImage> crops = Crops.tenCrop(image, size);
        assertThat(crops).hasSize(10);
        assertThat(crops.get(4).pixels())
                .isEqualTo(image.cut(offset, offset, size).pixels());
        assertThat(crops.get(9).pixels())
                .isEqualTo(image.mirrored().cut(offset, offset, size).pixels());
    }
}
