package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.ImageDecoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The images that a run of generate made; its shards are read whole.
 *
 * @param directory the run's output
 * @param sha256 of its manifest
 * @param shards of its manifest
 */
record GeneratedImages(String directory, String sha256, List<ShardReceipt> shards) implements ImageSet {
    static GeneratedImages of(Storage storage, String directory, int side) throws IOException {
        SamplesManifest manifest = SamplesManifest.read(storage, directory);
        if (manifest.imageSize() != side) {
            throw new DataException("Cannot score " + directory + ": its images have a side of " + manifest.imageSize()
                    + " pixels, and the features are of " + side);
        }
        return new GeneratedImages(storage.qualify(directory), Manifest.sha256(storage, directory), manifest.shards());
    }

    @Override
    public long images() {
        return shards.stream().mapToLong(ShardReceipt::rows).sum();
    }

    @Override
    public List<Part> parts(int imagesPerPart) {
        List<Part> parts = new ArrayList<>();
        List<ShardReceipt> part = new ArrayList<>();
        long images = 0;
        for (ShardReceipt shard : shards) {
            part.add(shard);
            images += shard.rows();
            if (images >= imagesPerPart) {
                parts.add(new Shards(directory, List.copyOf(part), images));
                part.clear();
                images = 0;
            }
        }
        if (images > 0) {
            parts.add(new Shards(directory, List.copyOf(part), images));
        }
        return parts;
    }

    private record Shards(String directory, List<ShardReceipt> shards, long images) implements Part {
        @Override
        public ImageFindings read(Storage storage, Sink sink) throws IOException {
            ImageDecoder decoder = new ImageDecoder();
            for (ShardReceipt shard : shards) {
                String path = Storage.child(directory, shard.name());
                shard.check(storage, path, "generate again into another output");
                SampleShard.ROWS.read(
                        storage,
                        path,
                        sample -> sink.accept(
                                decoder.decode(sample.png(), path + "#" + sample.index()), sample.classId()));
            }
            return ImageFindings.NONE;
        }
    }
}
