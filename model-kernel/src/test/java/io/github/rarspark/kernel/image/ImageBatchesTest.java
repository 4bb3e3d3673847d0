package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageBatchesTest {
    private static final List<RgbImage> IMAGES =
            IntStream.range(0, 12).mapToObj(ImageBatchesTest::image).toList();

    @Test
    void everyEpochHasEveryImageOnceInAnOrderOfItsOwn() {
        ImageBatches batches = new ImageBatches(IMAGES, 4, 1);
        int[] first = epoch(batches, 0);
        int[] second = epoch(batches, 1);
        assertThat(first).containsExactlyInAnyOrder(IntStream.range(0, 12).toArray());
        assertThat(second).containsExactlyInAnyOrder(first).isNotEqualTo(first);
    }

    @Test
    void halfOfTheImagesAreMirroredAndNothingElseChanges() {
        ImageBatches batches = new ImageBatches(IMAGES, 12, 1);
        int mirrored = 0;
        for (int step = 0; step < 50; step++) {
            int[] samples = batches.samples(step);
            float[] pixels = batches.pixels(step);
            for (int row = 0; row < 12; row++) {
                float left = samples[row] / 255f;
                boolean mirror = pixels[row * 6] != left;
                assertThat(pixels[row * 6 + (mirror ? 1 : 0)]).isEqualTo(left);
                assertThat(pixels[row * 6 + (mirror ? 0 : 1)]).isEqualTo(200 / 255f);
                mirrored += mirror ? 1 : 0;
            }
        }
        assertThat(mirrored).isBetween(240, 360);
    }

    @Test
    void aBatchDependsOnSeedAndStepOnly() {
        assertThat(new ImageBatches(IMAGES, 5, 1).pixels(7))
                .isEqualTo(new ImageBatches(IMAGES, 5, 1).pixels(7))
                .isNotEqualTo(new ImageBatches(IMAGES, 5, 2).pixels(7))
                .isNotEqualTo(new ImageBatches(IMAGES, 5, 1).pixels(8));
    }

    @Test
    void imagesOfDifferentSizesAreRefused() {
        RgbImage other = new RgbImage(1, 2, new byte[6]);
        assertThatThrownBy(() -> new ImageBatches(List.of(IMAGES.get(0), other), 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("different sizes");
    }

    private static int[] epoch(ImageBatches batches, int epoch) {
        return IntStream.range(3 * epoch, 3 * epoch + 3)
                .flatMap(step -> IntStream.of(batches.samples(step)))
                .toArray();
    }

    /** Two pixels: the index, and 200. */
    private static RgbImage image(int index) {
        byte left = (byte) index;
        byte right = (byte) 200;
        return new RgbImage(2, 1, new byte[] {left, left, left, right, right, right});
    }
}
