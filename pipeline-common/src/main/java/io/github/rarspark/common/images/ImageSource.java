package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;

/** A listed set of images with classes. Driver only; what goes to the tasks are its units. */
public interface ImageSource {
    /** Identifies the listing: names, lengths and row counts of all files. */
    String sha256();

    /** The class names by class id; empty if the source has only numbers. */
    List<String> classNames();

    /** How many images there are. */
    long images();

    /** What lies beside the images and is left out, one line each. */
    List<String> warnings();

    /**
     * Checks that the class ids can be those of a model with {@code classes} classes. Images with labels of their own
     * are checked one by one instead.
     *
     * @param option the option that names the images, for messages
     * @throws io.github.rarspark.kernel.error.DataException if ids number class folders, and these are more or fewer
     */
    void requireClasses(String option, int classes);

    /**
     * The source cut into parts, a function of the listing and the argument only.
     *
     * @param imagesPerUnit the most images of a part
     */
    List<ImageUnit> units(int imagesPerUnit);

    /**
     * Lists the images at {@code path}: a Parquet file or a folder of them as on the Hugging Face hub, or a folder with
     * one folder per class.
     *
     * @param option the option that names the path, such as {@code --input}, for messages
     * @throws JobException {@link ExitCode#NO_INPUT} if there is nothing or no image
     * @throws io.github.rarspark.kernel.error.DataException if the files have another layout
     */
    static ImageSource open(Storage storage, String option, String path) throws IOException {
        List<StoredFile> files = storage.walk(path);
        List<StoredFile> parquet =
                files.stream().filter(file -> isParquet(file.name())).toList();
        ImageSource source = parquet.isEmpty()
                ? ClassFolders.of(storage, path, files)
                : ImageParquet.of(storage, parquet, LeftOut.besideParquet(files));
        if (source.images() == 0) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it holds no images; give a folder with one folder per"
                            + " class, or Parquet files with the columns image and label"
                            + (source.warnings().isEmpty() ? "" : " (" + String.join("; ", source.warnings()) + ")"));
        }
        return source;
    }

    /** Whether a file of this name is read as Parquet. */
    static boolean isParquet(String name) {
        return name.endsWith(".parquet");
    }
}
