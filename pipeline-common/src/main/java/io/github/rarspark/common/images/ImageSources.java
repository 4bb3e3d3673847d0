package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/** Opens the images that users have. Driver only. */
public final class ImageSources {
    private ImageSources() {}

    /**
     * Lists the images at {@code path} in tasks of {@code session}: a Parquet file or a folder of them as on the Hugging
     * Face hub, or a folder with one folder per class.
     *
     * @param option the option that names the path, such as {@code --input}, for messages
     * @throws JobException {@link ExitCode#NO_INPUT} if there is nothing or no image
     * @throws io.github.rarspark.kernel.error.DataException if the files have another layout
     */
    public static ListedImages open(SparkSession session, Storage storage, String option, String path)
            throws IOException {
        return open(new ListingTasks(Optional.of(session)), storage, option, path);
    }

    /** Lists images that are few enough for this thread. */
    public static ListedImages open(Storage storage, String option, String path) throws IOException {
        return open(new ListingTasks(Optional.empty()), storage, option, path);
    }

    private static ListedImages open(ListingTasks tasks, Storage storage, String option, String path)
            throws IOException {
        ListedFolder folder = ListedFolder.of(tasks, storage, path);
        List<StoredFile> parquet = folder.files(ImageParquet::isParquet);
        ListedImages source = parquet.isEmpty()
                ? ClassFolders.of(folder)
                : ImageParquet.of(
                        tasks, storage, parquet, LeftOut.besideFiles(folder, "Parquet", ImageParquet::isParquet));
        if (source.images().orElse(1) == 0) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it contains no images; give a folder with one folder per"
                            + " class, or Parquet files with the columns image and label"
                            + (source.warnings().isEmpty() ? "" : " (" + String.join("; ", source.warnings()) + ")"));
        }
        return source;
    }
}
