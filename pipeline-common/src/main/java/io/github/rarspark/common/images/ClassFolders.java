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
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A folder with one folder per class: {@code DIR/<class name>/<image>}. Class ids number the sorted names, or a map has
 * them. Every file below a class folder counts as an image; files beside the class folders and empty folders are left out.
 *
 * @param given the folder as the user gave it, for messages
 * @param path the same as a full URI
 * @param folders the sorted names of the folders that hold files
 * @param classes the ids of the folders; if empty, their numbers
 * @param listing the images, sorted by name
 * @param warnings what the listing leaves out
 */
record ClassFolders(
        String given,
        String path,
        List<String> folders,
        Optional<ClassMap> classes,
        InputListing listing,
        List<String> warnings)
        implements ListedImages {
    private static final int WITNESSES = 3;

    /**
     * The class folders in a folder.
     *
     * @throws DataException if the map does not have one of them
     */
    static ClassFolders of(ListedFolder folder, Optional<ClassMap> classes) {
        Set<String> withImages = new LinkedHashSet<>();
        folder.below().stream().forEach(file -> withImages.add(className(file.name())));
        List<String> warnings = new ArrayList<>(LeftOut.besideClasses(folder, withImages));
        classes.ifPresent(map -> compare(folder, withImages, map, warnings));
        return new ClassFolders(
                folder.given(),
                folder.path(),
                withImages.stream().sorted().toList(),
                classes,
                folder.below(),
                List.copyOf(warnings));
    }

    private static void compare(ListedFolder folder, Set<String> withImages, ClassMap map, List<String> warnings) {
        List<String> unknown = withImages.stream()
                .filter(name -> map.id(name).isEmpty())
                .sorted()
                .toList();
        if (!unknown.isEmpty()) {
            throw new DataException("Cannot number the classes of " + folder.given() + ": its folder " + unknown.get(0)
                    + (unknown.size() > 1 ? " and " + (unknown.size() - 1) + " more are" : " is") + " not in "
                    + map.path() + "; add the name there, or move the folder away");
        }
        Set<Integer> found =
                withImages.stream().map(name -> map.id(name).orElseThrow()).collect(Collectors.toSet());
        LeftOutNames.of(map.ids().keySet().stream()
                        .filter(name -> !found.contains(map.ids().get(name))))
                .addTo(warnings, "a class without images", "classes without images");
    }

    @Override
    public ClassFolders only(Predicate<String> wanted) {
        return new ClassFolders(given, path, folders, classes, listing.only(wanted), warnings);
    }

    @Override
    public String sha256() {
        MessageDigest digest = Sha256.digest();
        digest.update("class folders\n".getBytes(StandardCharsets.UTF_8));
        listing.stream()
                .map(file -> file.name() + '\0' + file.bytes() + '\n')
                .forEach(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
        classes.ifPresent(map -> digest.update(map.sha256().getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(listing.files());
    }

    @Override
    public List<String> classNames() {
        return classes.map(ClassMap::labels).orElse(folders);
    }

    @Override
    public void requireClasses(String option, int count) {
        if (classes.isPresent()) {
            classes.get().requireSize(count);
        } else if (folders.size() != count) {
            throw mismatch(
                    option,
                    "model.classes=" + count,
                    "add or remove folders, name their ids with --class-map, or set model.classes=" + folders.size());
        }
    }

    @Override
    public void requireClassesOf(String option, String classifier, int count) {
        if (folders.size() != count) {
            throw mismatch(
                    option,
                    classifier + " has " + count + " classes",
                    "add or remove folders, give a classifier of these folders' classes, or give the images as an npz"
                            + " file, which has no classes");
        }
    }

    private DataException mismatch(String option, String expected, String remedy) {
        return new DataException("Cannot number the classes of " + option + " " + given + ": it has "
                + folders.size() + " class folders with images, and " + expected
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
        for (String name : folders) {
            ids.put(name, classes.isPresent() ? classes.get().id(name).orElseThrow() : ids.size());
        }
        return ids;
    }

    /** The class folder of an image. */
    static String className(String image) {
        return image.substring(0, image.indexOf('/'));
    }
}
