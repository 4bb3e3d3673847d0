package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.UsableImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Computes the features of a part of a set and writes them as a shard, in a task. The images are scaled and cropped to
 * the centre, which leaves those of the network's size as they are.
 *
 * @param storage the storage of the images and the shard
 * @param network that gives the features
 * @param directory the shard's
 * @param key the key stored in the shard
 * @param batch images that go through the network together
 * @param threads of libtorch
 * @param device what computes them
 */
record FeatureTask(
        Storage storage, FeatureNetwork network, String directory, String key, int batch, int threads, JobDevice device)
        implements UnitTasks.Work<FeatureTask.Unit, FeatureTask.Done> {
    /**
     * A part of a set.
     *
     * @param shard the name of its shard
     * @param firstImage the index in the set of its first image
     * @param images the part
     */
    record Unit(String shard, long firstImage, ImageUnit images) implements Serializable {}

    /**
     * A finished part.
     *
     * @param shard the features of its usable images
     * @param findings what was found out about its images
     */
    record Done(ShardReceipt shard, ImageFindings findings) implements Serializable {}

    @Override
    public Done run(Unit unit) throws IOException {
        try (TaskDevice own = TaskDevice.open(device, threads);
                FeatureExtractor extractor = FeatureExtractor.open(network, storage, own)) {
            ImageFindings[] findings = {ImageFindings.NONE};
            ShardReceipt shard = FeatureShard.ROWS.write(
                    storage,
                    Storage.child(directory, unit.shard()),
                    key,
                    sink -> {
                        Run run = new Run(unit, extractor, sink);
                        findings[0] = UsableImages.read(
                                storage,
                                unit.images(),
                                Labels.ANY,
                                (stored, pixels) ->
                                        run.add(Crops.centerCrop(pixels, network.side()), stored.classId()));
                        run.compute();
                    },
                    () -> findings[0].footer());
            return new Done(shard, findings[0]);
        } catch (NativeMemoryException e) {
            throw e.lowering("fid.batch");
        }
    }

    /** The computation of one part. */
    private final class Run {
        private final FeatureExtractor extractor;
        private final RowCodec.Sink<FeatureRow> sink;
        private final List<RgbImage> images = new ArrayList<>();
        private final List<Integer> classes = new ArrayList<>();
        private long next;

        Run(Unit unit, FeatureExtractor extractor, RowCodec.Sink<FeatureRow> sink) {
            this.extractor = extractor;
            this.sink = sink;
            this.next = unit.firstImage();
        }

        void add(RgbImage image, int classId) throws IOException {
            images.add(image);
            classes.add(classId);
            if (images.size() == batch) {
                compute();
            }
        }

        /** Writes the features of the images collected so far. */
        void compute() throws IOException {
            if (images.isEmpty()) {
                return;
            }
            UnitTasks.endIfKilled();
            FeatureExtractor.Batch result = extractor.extract(images);
            for (int i = 0; i < images.size(); i++) {
                sink.accept(new FeatureRow(
                        next++,
                        classes.get(i),
                        row(result.features(), i),
                        row(result.spatial(), i),
                        row(result.logits(), i)));
            }
            images.clear();
            classes.clear();
        }

        private float[] row(float[] matrix, int row) {
            int width = matrix.length / images.size();
            return Arrays.copyOfRange(matrix, row * width, (row + 1) * width);
        }
    }
}
