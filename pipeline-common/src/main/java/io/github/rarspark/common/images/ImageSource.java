package io.github.rarspark.common.images;

import java.util.List;
import java.util.OptionalLong;

/** A listed set of images. Driver only; what goes to the tasks are its units. */
public interface ImageSource {
    /** Identifies the content, or where that is many files the listing: names, lengths and row counts. */
    String sha256();

    /** The number of images; empty if only reading them tells. */
    OptionalLong images();

    /**
     * Splits the source into consecutive units; depends only on the listing and the argument.
     *
     * @param imagesPerUnit the approximate number of images per unit; files that are read whole are not split
     */
    List<ImageUnit> units(int imagesPerUnit);

    /** The class names by class id; empty if the source has only ids. */
    default List<String> classNames() {
        return List.of();
    }

    /** What the listing leaves out, one line each. */
    default List<String> warnings() {
        return List.of();
    }

    /**
     * Checks that the class ids can be those of the recipe's {@code model.classes}. Labels that are stored with the
     * images are already ids, so that a missing class does not shift the others; they are checked one by one instead.
     *
     * @param option the option that names the images, for messages
     * @throws io.github.rarspark.kernel.error.DataException if ids number class folders, and these are more or fewer
     */
    default void requireClasses(String option, int classes) {
        // Only class folders are numbered.
    }

    /**
     * {@link #requireClasses} for a classifier.
     *
     * @param classifier the option and value that name it, for messages
     */
    default void requireClassesOf(String option, String classifier, int classes) {
        // Only class folders are numbered.
    }
}
