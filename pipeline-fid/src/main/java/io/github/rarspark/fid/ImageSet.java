package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/** A set of images to compute features of. Driver only; what goes to the tasks are its parts. */
interface ImageSet {
    /** Identifies the content, or the listing where there are many files. */
    String sha256();

    /** How many images there are. */
    long images();

    /** What lies beside the images and is left out, one line each. */
    default List<String> warnings() {
        return List.of();
    }

    /**
     * The set cut into consecutive parts, a function of the set and the argument only.
     *
     * @param imagesPerPart about how many images a part has; files that are read whole are not cut
     */
    List<Part> parts(int imagesPerPart);

    /** A contiguous part: small, sent to the one task that reads it. */
    interface Part extends Serializable {
        /** How many images there are. */
        long images();

        /**
         * Passes each usable image to {@code sink}, in order.
         *
         * @return what was found out about the images
         */
        ImageFindings read(Storage storage, Sink sink) throws IOException;
    }

    /** Receives images. */
    @FunctionalInterface
    interface Sink {
        /**
         * Takes the next image.
         *
         * @param classId its class, -1 if unknown
         */
        void accept(RgbImage image, int classId) throws IOException;
    }

    /**
     * The images at {@code path}: an output of generate, an npz file, a folder with one folder per class, or Parquet of
     * image bytes as on the Hugging Face hub.
     *
     * @param option the option that names the path, for messages
     * @param side the side in pixels that the features are computed of; images of image files are cropped to it
     * @throws io.github.rarspark.common.JobException if nothing is there
     * @throws io.github.rarspark.kernel.error.DataException if it holds no images of this size
     */
    static ImageSet open(Storage storage, String option, String path, int side) throws IOException {
        PreFlight.requireInput(storage, option, path);
        if (isNpz(path)) {
            try (NpzFile file = NpzFile.open(storage, path)) {
                return NpzImages.of(file, storage.qualify(path), side);
            }
        }
        if (storage.exists(Storage.child(path, Manifest.NAME))) {
            return GeneratedImages.of(storage, path, side);
        }
        return new FileImages(ImageSource.open(storage, option, path), side);
    }

    /** Whether a path names an npz file. */
    static boolean isNpz(String path) {
        return path.endsWith(".npz");
    }
}
