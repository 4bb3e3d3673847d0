package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.util.Optional;

/** Opens the images whose features are compared. Driver only. */
final class ComparedImages {
    private ComparedImages() {}

    /**
     * The images at {@code path}: an output of generate, an npz file, a folder with one folder per class, or Parquet of
     * image bytes as on the Hugging Face hub.
     *
     * @param option the option that names the path, for messages
     * @param side the side in pixels that the features are computed of; only images of image files may have another,
     *     which are cropped to it
     * @throws io.github.rarspark.common.JobException if nothing is there
     * @throws io.github.rarspark.kernel.error.DataException if it holds no images of this size
     */
    static ImageSource open(JobContext context, String option, String path, int side) throws IOException {
        Storage storage = context.storage();
        PreFlight.requireInput(storage, option, path);
        if (NpzImages.isNpz(path)) {
            try (NpzFile file = NpzFile.open(storage, path)) {
                return NpzImages.of(file, storage.qualify(path), side);
            }
        }
        if (storage.exists(Storage.child(path, Manifest.NAME))) {
            return GeneratedImages.of(storage, path, side);
        }
        return ImageSources.open(context.session(), storage, option, path, Optional.empty());
    }
}
