package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.StoredImage;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The images that a run of generate made; its shards are read whole.
 *
 * @param directory the run's output
 * @param sha256 of its manifest
 * @param shards of its manifest
 */
record GeneratedImages(String directory, String sha256, List<ShardReceipt> shards) implements ImageSource {
    static GeneratedImages of(Storage storage, String directory, int side) throws IOException {
        SamplesManifest manifest = SamplesManifest.read(storage, directory);
        if (manifest.imageSize() != side) {
            throw new DataException("Cannot score " + directory + ": its images have a side of " + manifest.imageSize()
                    + " pixels, and the features are of " + side);
        }
        return new GeneratedImages(storage.qualify(directory), Manifest.sha256(storage, directory), manifest.shards());
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(shards.stream().mapToLong(ShardReceipt::rows).sum());
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        List<ImageUnit> units = new ArrayList<>();
        List<ShardReceipt> unit = new ArrayList<>();
        long images = 0;
        for (ShardReceipt shard : shards) {
            unit.add(shard);
            images += shard.rows();
            if (images >= imagesPerUnit) {
                units.add(new Shards(directory, List.copyOf(unit), images));
                unit.clear();
                images = 0;
            }
        }
        if (images > 0) {
            units.add(new Shards(directory, List.copyOf(unit), images));
        }
        return units;
    }

    private record Shards(String directory, List<ShardReceipt> shards, long rows) implements ImageUnit {
        @Override
        public OptionalLong images() {
            return OptionalLong.of(rows);
        }

        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            for (ShardReceipt shard : shards) {
                String path = Storage.child(directory, shard.name());
                shard.check(storage, path, "generate again into another output");
                SampleShard.ROWS.read(
                        storage,
                        path,
                        sample -> sink.accept(
                                StoredImage.of(shard.name() + "#" + sample.index(), sample.classId(), sample.png())));
            }
        }
    }
}
