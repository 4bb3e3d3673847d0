package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A folder with one folder per class: {@code DIR/<class name>/<image>}. Class ids number the sorted names. Every file
 * below a class folder counts as an image; files beside the class folders and empty folders are left out.
 *
 * @param path the folder
 * @param classNames the sorted class names
 * @param files the images, sorted by name
 * @param warnings what the listing leaves out
 */
record ClassFolders(String path, List<String> classNames, List<StoredFile> files, List<String> warnings)
        implements ImageSource {
    private static final int WITNESSES = 3;

    static ClassFolders of(Storage storage, String path, List<StoredFile> all) throws IOException {
        List<StoredFile> images =
                all.stream().filter(file -> file.name().indexOf('/') > 0).toList();
        TreeSet<String> names = new TreeSet<>();
        images.forEach(file -> names.add(className(file)));
        return new ClassFolders(path, List.copyOf(names), images, LeftOut.of(storage, path, all, names));
    }

    @Override
    public String sha256() {
        StringBuilder listing = new StringBuilder("class folders\n");
        files.forEach(file ->
                listing.append(file.name()).append('\0').append(file.bytes()).append('\n'));
        return Sha256.of(listing.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public long images() {
        return files.size();
    }

    @Override
    public void requireClasses(String option, int classes) {
        if (classNames.size() != classes) {
            throw mismatch(
                    option,
                    "model.classes=" + classes,
                    "add or remove folders, or set model.classes=" + classNames.size());
        }
    }

    @Override
    public void requireClassesOf(String option, String classifier, int classes) {
        if (classNames.size() != classes) {
            throw mismatch(
                    option,
                    classifier + " has " + classes + " classes",
                    "add or remove folders, give a classifier of these folders' classes, or give the images as an npz"
                            + " file, which has no classes");
        }
    }

    private DataException mismatch(String option, String expected, String remedy) {
        return new DataException("Cannot number the classes of " + option + " " + path + ": it has "
                + classNames.size() + " class folders with images, and " + expected
                + "; class ids number the sorted folders, so a missing or extra folder shifts them: " + remedy
                + (warnings.isEmpty() ? "" : " (" + String.join("; ", warnings) + ")"));
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        Map<String, Integer> classIds = classIds();
        List<String> witnesses = ImageFiles.spread(files, WITNESSES).stream()
                .map(StoredFile::path)
                .toList();
        List<ImageUnit> units = new ArrayList<>();
        for (int start = 0; start < files.size(); start += imagesPerUnit) {
            List<StoredFile> part = files.subList(start, Math.min(files.size(), start + imagesPerUnit));
            units.add(new ImageFiles(
                    part.stream()
                            .map(file -> new ImageFiles.Entry(
                                    file.path(), file.name(), classIds.get(className(file)), file.bytes()))
                            .toList(),
                    witnesses));
        }
        return units;
    }

    /** The only place that assigns ids to class names. */
    private Map<String, Integer> classIds() {
        Map<String, Integer> ids = new HashMap<>();
        classNames.forEach(name -> ids.put(name, ids.size()));
        return ids;
    }

    private static String className(StoredFile file) {
        return file.name().substring(0, file.name().indexOf('/'));
    }
}
