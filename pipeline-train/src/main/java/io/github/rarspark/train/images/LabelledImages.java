package io.github.rarspark.train.images;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The images of a small data set in memory, cropped to squares, in the source's order.
 *
 * @param images all of one size
 * @param labels the class of each; -1 if the source does not say
 * @param sha256 identifies the source's listing
 */
record LabelledImages(List<RgbImage> images, int[] labels, String sha256) {
    private static final int IMAGES_PER_UNIT = 10_000;

    /**
     * Reads all images of {@code source}.
     *
     * @param size side of the centre crops in pixels
     * @throws DataException if one cannot be decoded
     */
    static LabelledImages read(Storage storage, ImageSource source, int size) throws IOException {
        List<RgbImage> images = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (ImageUnit unit : source.units(IMAGES_PER_UNIT)) {
            unit.read(storage, image -> {
                images.add(Crops.centerCrop(image.decode(), size));
                labels.add(image.classId());
            });
        }
        int[] classes = labels.stream().mapToInt(Integer::intValue).toArray();
        return new LabelledImages(images, classes, source.sha256());
    }
}
