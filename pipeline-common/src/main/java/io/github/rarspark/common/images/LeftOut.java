package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.StoredFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What an image folder contains besides its images, in lines for the user. Hidden files are ignored. */
final class LeftOut {
    private LeftOut() {}

    /**
     * What is left out of a folder of class folders.
     *
     * @param withImages the folders that hold files
     */
    static List<String> besideClasses(ListedFolder folder, Collection<String> withImages) {
        List<String> warnings = new ArrayList<>();
        LeftOutNames.of(folder.loose().stream().map(StoredFile::name).filter(name -> !isMarker(name)))
                .addTo(
                        warnings,
                        "left out, because it is not in a class folder",
                        "left out, because they are not in a class folder");
        LeftOutNames.of(folder.folders().stream().filter(name -> !withImages.contains(name)))
                .addTo(
                        warnings,
                        "not a class, because the folder has no images",
                        "not classes, because the folders have no images");
        folder.unlisted()
                .links()
                .addTo(warnings, "left out, because the link is broken", "left out, because the links are broken");
        String encoding = " not text in this process's encoding of file names, "
                + System.getProperty("sun.jnu.encoding") + "; rename or set LC_ALL";
        folder.unlisted()
                .undecodable()
                .addTo(
                        warnings,
                        "left out, because its name is" + encoding,
                        "left out, because their names are" + encoding);
        return List.copyOf(warnings);
    }

    /**
     * What is left out of a folder that is read as files of one kind.
     *
     * @param kind such as {@code Parquet}
     */
    static List<String> besideFiles(ListedFolder folder, String kind, Predicate<String> isOfKind) {
        List<String> warnings = new ArrayList<>();
        String why = "left out, because a folder with " + kind + " files is read as " + kind + " alone";
        LeftOutNames.of(Stream.concat(
                                folder.loose().stream().map(StoredFile::name),
                                folder.below().stream().map(InputListing.File::name))
                        .filter(name -> !isOfKind.test(name) && !isMarker(name)))
                .addTo(warnings, why, why);
        return List.copyOf(warnings);
    }

    /** Whether a program left the file for itself, such as Spark its {@code _SUCCESS}. */
    private static boolean isMarker(String name) {
        return name.startsWith("_", name.lastIndexOf('/') + 1);
    }
}
