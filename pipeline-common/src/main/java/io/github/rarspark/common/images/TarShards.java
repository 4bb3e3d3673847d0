package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Tar files in the WebDataset convention: the members of an image have one key and follow each other, {@code KEY.jpg} (or
 * {@code jpeg}, {@code png}) and {@code KEY.cls} or {@code KEY.json} with its label.
 *
 * @param files the tar files, sorted by name
 * @param classes the ids of labels that are names
 * @param warnings what the listing leaves out
 */
record TarShards(List<StoredFile> files, Optional<ClassMap> classes, List<String> warnings) implements ListedImages {
    /** What cuts the files into units before anybody has read them: an image of ImageNet has 110 kB on average. */
    private static final long TYPICAL_IMAGE_BYTES = 100_000;

    /** Whether a file of this name is read as an archive. */
    static boolean isTar(String name) {
        return name.endsWith(".tar") || isGzip(name);
    }

    /** Whether the archive in a file of this name is compressed. */
    static boolean isGzip(String name) {
        return name.endsWith(".tar.gz") || name.endsWith(".tgz");
    }

    /** Whether a file or member of this name is an image. */
    static boolean isImage(String name) {
        return name.matches("(?i).*\\.(jpe?g|png)");
    }

    @Override
    public InputListing listing() {
        InputListing.Builder listing = new InputListing.Builder();
        files.forEach(file -> listing.add(InputListing.File.of(file)));
        return listing.build();
    }

    @Override
    public TarShards only(Predicate<String> wanted) {
        return new TarShards(
                files.stream().filter(file -> wanted.test(file.name())).toList(), classes, warnings);
    }

    @Override
    public String sha256() {
        String listing = files.stream()
                .map(file -> file.name() + '\0' + file.bytes() + '\n')
                .collect(Collectors.joining("", "tar\n", ""));
        String map = classes.map(ClassMap::sha256).orElse("");
        return Sha256.of((listing + map).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.empty();
    }

    @Override
    public List<String> classNames() {
        return classes.map(ClassMap::labels).orElse(List.of());
    }

    @Override
    public void requireClasses(String option, int count) {
        classes.ifPresent(map -> map.requireSize(count));
    }

    /** A unit is one file, or several that together are as small as {@code imagesPerUnit} typical images. */
    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        long mostBytes = imagesPerUnit * TYPICAL_IMAGE_BYTES;
        List<ImageUnit> units = new ArrayList<>();
        ArrayList<StoredFile> unit = new ArrayList<>();
        long bytes = 0;
        for (StoredFile file : files) {
            if (!unit.isEmpty() && bytes + file.bytes() > mostBytes) {
                units.add(new Archives(unit, classes.orElse(null)));
                unit = new ArrayList<>();
                bytes = 0;
            }
            unit.add(file);
            bytes += file.bytes();
        }
        if (!unit.isEmpty()) {
            units.add(new Archives(unit, classes.orElse(null)));
        }
        return units;
    }

    /**
     * Whole files.
     *
     * @param classes null if there is none: an Optional cannot be sent to tasks
     */
    private record Archives(ArrayList<StoredFile> files, ClassMap classes) implements ImageUnit {
        @Override
        public OptionalLong images() {
            return OptionalLong.empty();
        }

        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            for (StoredFile file : files) {
                TarImages.read(storage, file, Optional.ofNullable(classes), sink);
            }
        }
    }
}
