package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.kernel.error.DataException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A folder with one folder per class: {@code DIR/<class name>/<image>}. Class ids number the sorted names. Every file
 * below a class folder counts as an image; files beside the class folders and empty folders are left out.
 *
 * @param given the folder as the user gave it, for messages
 * @param path the same as a full URI
 * @param classNames the sorted class names
 * @param listing the images, sorted by name
 * @param warnings what the listing leaves out
 */
record ClassFolders(String given, String path, List<String> classNames, InputListing listing, List<String> warnings)
        implements ListedImages {
    private static final int WITNESSES = 3;

    static ClassFolders of(ListedFolder folder) {
        Set<String> withImages = new LinkedHashSet<>();
        folder.below().stream().forEach(file -> withImages.add(className(file.name())));
        return new ClassFolders(
                folder.given(),
                folder.path(),
                withImages.stream().sorted().toList(),
                folder.below(),
                LeftOut.besideClasses(folder, withImages));
    }

    @Override
    public ClassFolders only(Predicate<String> wanted) {
        return new ClassFolders(given, path, classNames, listing.only(wanted), warnings);
    }

    @Override
    public String sha256() {
        MessageDigest digest = Sha256.digest();
        digest.update("class folders\n".getBytes(StandardCharsets.UTF_8));
        listing.stream()
                .map(file -> file.name() + '\0' + file.bytes() + '\n')
                .forEach(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(listing.files());
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
        return new DataException("Cannot number the classes of " + option + " " + given + ": it has "
                + classNames.size() + " class folders with images, and " + expected
                + "; class ids number the sorted folders, so a missing or extra folder shifts them: " + remedy
                + (warnings.isEmpty() ? "" : " (" + String.join("; ", warnings) + ")"));
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        List<String> witnesses = witnesses();
        Map<String, Integer> classIds = classIds();
        List<ImageUnit> units = new ArrayList<>();
        InputListing.Builder unit = new InputListing.Builder();
        TreeMap<String, Integer> unitClasses = new TreeMap<>();
        for (InputListing.File file : (Iterable<InputListing.File>) listing.stream()::iterator) {
            unit.add(new InputListing.File(file.name(), file.bytes(), 0));
            unitClasses.computeIfAbsent(className(file.name()), classIds::get);
            if (unit.files() == imagesPerUnit) {
                units.add(new ImageFiles(path, unit.build(), unitClasses, witnesses));
                unit = new InputListing.Builder();
                unitClasses = new TreeMap<>();
            }
        }
        if (unit.files() > 0) {
            units.add(new ImageFiles(path, unit.build(), unitClasses, witnesses));
        }
        return units;
    }

    /** The names of some files, spread evenly. */
    private List<String> witnesses() {
        long step = Math.max(1, listing.files() / WITNESSES);
        long[] next = {0};
        return listing.stream()
                .filter(file -> next[0]++ % step == 0)
                .map(InputListing.File::name)
                .toList();
    }

    /** The only place that assigns ids to class names. */
    private Map<String, Integer> classIds() {
        Map<String, Integer> ids = new HashMap<>();
        classNames.forEach(name -> ids.put(name, ids.size()));
        return ids;
    }

    /** The class folder of an image. */
    static String className(String image) {
        return image.substring(0, image.indexOf('/'));
    }
}
