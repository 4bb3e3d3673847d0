package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/** Opens the images that users have. Driver only. */
public final class ImageSources {
    private ImageSources() {}

    /**
     * Lists the images at {@code path} in tasks of {@code session}: a Parquet file or a folder of them as on the Hugging
     * Face hub, a tar file or a folder of them as WebDataset has them, or a folder with one folder per class.
     *
     * @param option the option that names the path, such as {@code --input}, for messages
     * @param classes the ids of class folders, or of labels in tar files that are names
     * @throws JobException {@link ExitCode#NO_INPUT} if there is nothing or no image; {@link ExitCode#USAGE} if {@code
     *     classes} is given for labels that are ids
     * @throws DataException if the files have another layout, or class folders are not in {@code classes}
     */
    public static ListedImages open(
            SparkSession session, Storage storage, String option, String path, Optional<ClassMap> classes)
            throws IOException {
        return open(new ListingTasks(Optional.of(session)), storage, option, path, classes);
    }

    /** Lists images that are few enough for this thread. */
    public static ListedImages open(Storage storage, String option, String path) throws IOException {
        return open(new ListingTasks(Optional.empty()), storage, option, path, Optional.empty());
    }

    static ListedImages open(
            ListingTasks tasks, Storage storage, String option, String path, Optional<ClassMap> classes)
            throws IOException {
        ListedFolder folder = ListedFolder.of(tasks, storage, path);
        // An archive among images in class folders is a stray file.
        boolean hasImages = folder.below().stream().anyMatch(file -> TarShards.isImage(file.name()));
        List<StoredFile> tars = hasImages ? List.of() : folder.files(TarShards::isTar);
        List<StoredFile> parquet = folder.files(ImageParquet::isParquet);
        ListedImages source;
        if (!tars.isEmpty()) {
            if (!parquet.isEmpty()) {
                throw new DataException("Cannot read " + option + " " + path + ": it has tar files, such as "
                        + tars.get(0).name() + ", and Parquet files, such as "
                        + parquet.get(0).name() + "; give one kind");
            }
            source = new TarShards(tars, classes, LeftOut.besideFiles(folder, "tar", TarShards::isTar));
        } else if (!parquet.isEmpty()) {
            classes.ifPresent(map -> {
                throw new JobException(
                        ExitCode.USAGE,
                        "Cannot use --class-map " + map.path() + " for " + option + " " + path
                                + ": the labels in Parquet are class ids; leave it out");
            });
            source = ImageParquet.of(
                    tasks, storage, parquet, LeftOut.besideFiles(folder, "Parquet", ImageParquet::isParquet));
        } else {
            source = ClassFolders.of(folder, classes);
        }
        if (source.images().orElse(1) == 0) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it contains no images; give a folder with one folder per"
                            + " class, Parquet files with the columns image and label, or tar files"
                            + (source.warnings().isEmpty() ? "" : " (" + String.join("; ", source.warnings()) + ")"));
        }
        return source;
    }
}
