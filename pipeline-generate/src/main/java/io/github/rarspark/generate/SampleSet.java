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
 * The finished shards of a run, read to write {@code samples.npz} and the grid. Holds the images of the grid and one more.
 * Driver only.
 *
 * @param claim the output
 * @param layout its shards
 * @param imageSize side of an image in pixels
 * @param columns of the grid
 * @param names for the captions of the grid
 */
record SampleSet(OutputClaim claim, SampleLayout layout, int imageSize, int columns, ClassNames names) {
    /** All images in the layout of ADM's evaluation suite: {@code arr_0}, uint8 [N, H, W, 3]. */
    static final String NPZ = "samples.npz";

    /** The first images, to look at. */
    static final String GRID = "grid.png";

    private static final int GRID_SIDE = 10;

    /** Ten columns, or fewer so that a row shows each of {@code classes} equally often. */
    static int gridColumns(int classes) {
        return classes == 0 || classes > GRID_SIDE ? GRID_SIDE : GRID_SIDE / classes * classes;
    }

    /** Writes the archive and the grid, in one pass over the shards; returns both files. */
    List<Stored> write() throws IOException {
        int shown = Math.min(layout.count(), GRID_SIDE * columns);
        List<RgbImage> first = new ArrayList<>();
        List<String> captions = new ArrayList<>();
        Stored npz = claim.publish(NPZ, out -> {
            first.clear();
            captions.clear();
            try (NpzWriter archive = new NpzWriter(out)) {
                NpyHeader header =
                        NpyHeader.of(NpyHeader.UINT8, layout.count(), imageSize, imageSize, RgbImage.CHANNELS);
                archive.add(
                        "arr_0",
                        header,
                        to -> read((classId, image) -> {
                            to.write(image.pixels());
                            if (first.size() < shown) {
                                first.add(image);
                                captions.add(names.of(classId));
                            }
                        }));
            }
        });
        byte[] png = PngEncoder.encode(ImageGrid.captioned(first, captions, columns));
        return List.of(npz, claim.publish(GRID, out -> out.write(png)));
    }

    @FunctionalInterface
    private interface Images {
        void accept(int classId, RgbImage image) throws IOException;
    }

    /** Passes on the images, by index. */
    private void read(Images images) throws IOException {
        ImageDecoder decoder = new ImageDecoder();
        for (String shard : layout.shardNames()) {
            String path = claim.path(shard);
            SampleShard.ROWS.read(
                    claim.storage(),
                    path,
                    (Sample sample) ->
                            images.accept(sample.classId(), decoder.decode(sample.png(), path + "#" + sample.index())));
        }
    }
}
