package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.tokenize.CropEncoder.Crop;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CropPixelsTest {
    private static final int SIZE = 20;

    /** A batch that begins and ends within the crops of an image. */
    @ParameterizedTest
    @EnumSource(CropSet.class)
    void theyAreThoseOfCropsThatAreCutOneByOne(CropSet set) {
        List<Crop> crops = new ArrayList<>();
        List<RgbImage> expected = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RgbImage image = noise(24 + i, 30, 37 * i);
            RgbImage source = set.source(image, SIZE);
            for (int number = 0; number < set.count(); number++) {
                crops.add(new Crop("image " + i, i, number, source));
            }
            expected.addAll(set.of(image, SIZE));
        }
        List<Crop> batch = crops.size() == 3 ? crops : crops.subList(1, crops.size() - 1);
        List<RgbImage> own = crops.size() == 3 ? expected : expected.subList(1, crops.size() - 1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                TensorScope scope = TensorScope.inference(manager)) {
            var pixels_BCHW = new CropPixels(set, SIZE).of(scope, batch);
            assertThat(pixels_BCHW.getShape().getShape()).containsExactly(batch.size(), 3, SIZE, SIZE);
            assertThat(pixels_BCHW.toFloatArray()).containsExactly(Pixels.toFloats(own));
            assertThat(scope.manager().getManagedArrays()).hasSize(1);
        }
    }

    /** All values of a byte are there. */
    private static RgbImage noise(int width, int height, int seed) {
        byte[] pixels = new byte[RgbImage.CHANNELS * width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 7 + seed + i / 256);
        }
        return new RgbImage(width, height, pixels);
    }
}
