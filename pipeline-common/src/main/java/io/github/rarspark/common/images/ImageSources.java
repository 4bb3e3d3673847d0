package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;

/** Opens the images that users have. Driver only. */
public final class ImageSources {
    private ImageSources() {}

    /**
     * Lists the images at {@code path}: a Parquet file or a folder of them as on the Hugging Face hub, or a folder with
     * one folder per class.
     *
     * @param option the option that names the path, such as {@code --input}, for messages
     * @throws JobException {@link ExitCode#NO_INPUT} if there is nothing or no image
     * @throws io.github.rarspark.kernel.error.DataException if the files have another layout
     */
    public static ImageSource open(Storage storage, String option, String path) throws IOException {
        List<StoredFile> files = storage.walk(path);
        List<StoredFile> parquet = files.stream()
                .filter(file -> ImageParquet.isParquet(file.name()))
                .toList();
        ImageSource source = parquet.isEmpty()
                ? ClassFolders.of(storage, path, files)
                : ImageParquet.of(storage, parquet, LeftOut.besideParquet(files));
        if (source.images() == 0) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it contains no images; give a folder with one folder per"
                            + " class, or Parquet files with the columns image and label"
                            + (source.warnings().isEmpty() ? "" : " (" + String.join("; ", source.warnings()) + ")"));
        }
        return source;
    }
}
