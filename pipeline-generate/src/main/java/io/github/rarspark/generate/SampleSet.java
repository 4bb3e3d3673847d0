package io.github.rarspark.generate;

import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzWriter;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The finished shards of a run, read to write {@code samples.npz} and the grid. Holds one image at a time. Driver only.
 */
record SampleSet(OutputClaim claim, SampleLayout layout, int imageSize) {
    /** All images in the layout of ADM's evaluation suite: {@code arr_0}, uint8 [N, H, W, 3]. */
    static final String NPZ = "samples.npz";

    /** The first images, to look at. */
    static final String GRID = "grid.png";

    private static final int GRID_SIDE = 10;
    private static final int GRID_PADDING = 2;

    /** The length of the archive, but for its headers: its images are not compressed. */
    static long npzBytes(SampleLayout layout, int imageSize) {
        return (long) layout.count() * imageSize * imageSize * RgbImage.CHANNELS;
    }

    Stored writeNpz() throws IOException {
        return claim.publish(NPZ, out -> {
            try (NpzWriter npz = new NpzWriter(out)) {
                NpyHeader header =
                        NpyHeader.of(NpyHeader.UINT8, layout.count(), imageSize, imageSize, RgbImage.CHANNELS);
                npz.add("arr_0", header, to -> read(layout.count(), image -> to.write(image.pixels())));
            }
        });
    }

    /** Writes a grid of at most ten rows; if it fits, a row shows every class equally often. */
    Stored writeGrid() throws IOException {
        int classes = layout.classes().size();
        int columns = classes == 0 || classes > GRID_SIDE ? GRID_SIDE : GRID_SIDE / classes * classes;
        List<RgbImage> images = new ArrayList<>();
        read(Math.min(layout.count(), GRID_SIDE * columns), images::add);
        byte[] png = PngEncoder.encode(ImageGrid.of(images, columns, GRID_PADDING));
        return claim.publish(GRID, out -> out.write(png));
    }

    @FunctionalInterface
    private interface Images {
        void accept(RgbImage image) throws IOException;
    }

    /** Passes on the first {@code count} images, by index. */
    private void read(int count, Images images) throws IOException {
        ImageDecoder decoder = new ImageDecoder();
        for (int shard = 0; shard * (long) layout.shardImages() < count; shard++) {
            String path = claim.path(layout.shardName(shard));
            SampleShard.ROWS.read(claim.storage(), path, (Sample sample) -> {
                if (sample.index() < count) {
                    images.accept(decoder.decode(sample.png(), path + "#" + sample.index()));
                }
            });
        }
    }
}
