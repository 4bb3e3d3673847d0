package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A folder with one folder per class: {@code DIR/<class name>/<image>}. Class ids number the sorted names. Every file
 * below a class folder counts as an image; files beside the class folders do not.
 *
 * @param classNames the sorted class names
 * @param files the images, sorted by name
 */
record ClassFolders(List<String> classNames, List<StoredFile> files) implements ImageSource {
    static ClassFolders of(List<StoredFile> all) {
        List<StoredFile> images =
                all.stream().filter(file -> file.name().indexOf('/') > 0).toList();
        TreeSet<String> names = new TreeSet<>();
        images.forEach(file -> names.add(className(file)));
        return new ClassFolders(List.copyOf(names), images);
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
    public List<ImageUnit> units(int imagesPerUnit) {
        Map<String, Integer> classIds = new HashMap<>();
        classNames.forEach(name -> classIds.put(name, classIds.size()));
        List<ImageUnit> units = new ArrayList<>();
        for (int start = 0; start < files.size(); start += imagesPerUnit) {
            List<StoredFile> part = files.subList(start, Math.min(files.size(), start + imagesPerUnit));
            units.add(new Files(part.stream()
                    .map(file -> new Entry(file.path(), file.name(), classIds.get(className(file))))
                    .toList()));
        }
        return units;
    }

    private static String className(StoredFile file) {
        return file.name().substring(0, file.name().indexOf('/'));
    }

    private record Entry(String path, String id, int classId) implements Serializable {}

    private record Files(List<Entry> entries) implements ImageUnit {
        @Override
        public long images() {
            return entries.size();
        }

        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            for (Entry entry : entries) {
                sink.accept(new StoredImage(entry.id(), entry.classId(), storage.readBytes(entry.path())));
            }
        }
    }
}
