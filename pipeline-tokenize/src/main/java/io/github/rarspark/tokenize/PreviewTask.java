package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.BadImage;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.StoredImage;
import io.github.rarspark.common.images.UsableImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.ReconstructedImage;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;

/**
 * Encodes and decodes the centre crops of the first usable images of some units, on an executor.
 *
 * @param storage the storage of images and weights
 * @param tokenizer the weights
 * @param size side of the crops
 * @param classes the number of classes of the input; 0 if unknown
 * @param perUnit images of each unit
 * @param threads libtorch threads per operation
 * @param device what computes
 */
record PreviewTask(
        Storage storage, TokenizerFile tokenizer, int size, int classes, int perUnit, int threads, JobDevice device)
        implements UnitTasks.Work<PreviewTask.Units, PreviewTask.Images> {

    /** The units to look into. */
    record Units(ArrayList<ImageUnit> list) implements Serializable {}

    /**
     * An image, before and after.
     *
     * @param original its pixels
     * @param decoded those that its tokens give
     * @param meanSquaredError of values in [0, 1]
     */
    record Image(String sampleId, int classId, byte[] original, byte[] decoded, long[] tokens, double meanSquaredError)
            implements Serializable {}

    /**
     * The images of the units.
     *
     * @param list the usable ones
     * @param bad those that were met before enough usable ones
     */
    record Images(ArrayList<Image> list, ArrayList<BadImage> bad) implements Serializable {}

    /** Ends the reading of a unit that has given enough images. */
    private static final class Enough extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Enough() {
            super(null, null, false, false);
        }
    }

    @Override
    public Images run(Units units) throws IOException {
        Images images = new Images(new ArrayList<>(), new ArrayList<>());
        try (TaskDevice own = TaskDevice.open(device, threads);
                WeightsCache.Lease<LoadedTokenizer> weights = tokenizer.lease(storage, own.device())) {
            for (ImageUnit unit : units.list()) {
                int most = images.list().size() + perUnit;
                try {
                    unit.read(storage, stored -> add(stored, weights.value().vqgan(), images, most));
                } catch (Enough e) {
                    continue;
                }
            }
        }
        return images;
    }

    private void add(StoredImage stored, Vqgan vqgan, Images images, int most) {
        UnitTasks.endIfKilled();
        RgbImage pixels;
        try {
            pixels = UsableImages.decode(stored, Labels.of(classes));
        } catch (DataException e) {
            images.bad().add(new BadImage(stored.id(), e.getMessage()));
            return;
        }
        ReconstructedImage result = ReconstructedImage.of(vqgan, Crops.centerCrop(pixels, size));
        images.list()
                .add(new Image(
                        stored.id(),
                        stored.classId(),
                        result.original().pixels(),
                        result.decoded().pixels(),
                        result.tokens(),
                        result.meanSquaredError()));
        if (images.list().size() == most) {
            throw new Enough();
        }
    }
}
