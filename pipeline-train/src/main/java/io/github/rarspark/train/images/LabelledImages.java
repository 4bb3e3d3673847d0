package io.github.rarspark.train.images;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.images.UsableImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The usable images of a small data set in memory, cropped to squares, in the source's order.
 *
 * @param images all of one size
 * @param labels the class of each; -1 if the source does not say
 */
record LabelledImages(List<RgbImage> images, int[] labels) {
    private static final int IMAGES_PER_UNIT = 10_000;

    /**
     * Reads all images of {@code source}.
     *
     * @param size side of the centre crops in pixels
     * @param allowed which labels they may have
     * @param quarantine takes those that cannot be used
     * @throws io.github.rarspark.common.JobException if too many cannot be used, or all
     */
    static LabelledImages read(Storage storage, ImageSource source, int size, Labels allowed, Quarantine quarantine)
            throws IOException {
        List<RgbImage> images = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        List<ImageUnit> units = source.units(IMAGES_PER_UNIT);
        for (int unit = 0; unit < units.size(); unit++) {
            quarantine.add(
                    String.format(Locale.ROOT, "%09d", unit),
                    UsableImages.read(storage, units.get(unit), allowed, (stored, pixels) -> {
                        images.add(Crops.centerCrop(pixels, size));
                        labels.add(stored.classId());
                    }));
            quarantine.requireFew();
        }
        long all = images.size() + quarantine.bad();
        quarantine.requireFew(all);
        quarantine.requireUsable(all);
        return new LabelledImages(
                images, labels.stream().mapToInt(Integer::intValue).toArray());
    }
}
