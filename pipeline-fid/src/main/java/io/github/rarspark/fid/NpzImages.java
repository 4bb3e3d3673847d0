package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.StoredImage;
import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The images of ADM's sample files: {@code arr_0}, uint8 [N, H, W, 3].
 *
 * @param path the file
 * @param sha256 of its table of contents
 * @param count how many images
 * @param side of an image
 */
record NpzImages(String path, String sha256, long count, int side) implements ImageSource {
    /** The array with the images. */
    static final String ARRAY = "arr_0";

    private static final int NO_CLASS = -1;

    /** Whether a path names an npz file. */
    static boolean isNpz(String path) {
        return path.endsWith(".npz");
    }

    static NpzImages of(NpzFile file, String path, int side) throws IOException {
        NpyHeader header = file.header(ARRAY);
        List<Long> shape = header.shape();
        boolean isImages = header.type().equals(NpyHeader.UINT8) && shape.size() == 4 && shape.get(3) == 3;
        if (!isImages || shape.get(1) != side || shape.get(2) != side) {
            throw new DataException("Cannot read images from " + path + ": " + ARRAY + " is " + header.type()
                    + " of shape " + shape + " instead of |u1 [N, " + side + ", " + side
                    + ", 3]; the side is fid.image_size, by default the network's own");
        }
        return new NpzImages(path, file.sha256(), shape.get(0), side);
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(count);
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        List<ImageUnit> units = new ArrayList<>();
        for (long first = 0; first < count; first += imagesPerUnit) {
            units.add(new Range(path, side, first, Math.min(imagesPerUnit, count - first)));
        }
        return units;
    }

    private record Range(String path, int side, long first, long count) implements ImageUnit {
        @Override
        public OptionalLong images() {
            return OptionalLong.of(count);
        }

        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            int bytes = side * side * RgbImage.CHANNELS;
            try (NpzFile file = NpzFile.open(storage, path);
                    InputStream pixels = file.elements(ARRAY, first * bytes)) {
                for (long i = 0; i < count; i++) {
                    byte[] image = pixels.readNBytes(bytes);
                    if (image.length < bytes) {
                        throw new DataException(
                                "Cannot read image " + (first + i) + " of " + path + ": the file is truncated");
                    }
                    sink.accept(new StoredImage.Decoded(
                            ARRAY + "#" + (first + i), NO_CLASS, new RgbImage(side, side, image)));
                }
            }
        }
    }
}
