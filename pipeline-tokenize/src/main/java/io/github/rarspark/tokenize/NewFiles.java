package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.InputListing.File;
import io.github.rarspark.common.images.ListedImages;
import io.github.rarspark.common.images.ListingFile;
import io.github.rarspark.common.run.Growth;
import io.github.rarspark.common.run.Published;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The images of an input that an output does not have yet. Files are told apart by their names.
 *
 * @param growth whether they become a generation
 * @param before what the output has published
 * @param images the new ones
 * @param removed how many files of earlier generations the input no longer has
 * @param changed how many have another length or time of modification
 * @param warnings say so, one line each
 */
record NewFiles(
        Growth growth, Published before, ListedImages images, long removed, long changed, List<String> warnings) {
    private static final Published NOTHING = new Published(0, "", "");

    /** All images, of a run that does not add to an output. */
    static NewFiles all(ListedImages images) {
        return new NewFiles(Growth.OFFERED, NOTHING, images, 0, 0, List.of());
    }

    /**
     * Compares an input with what the output in {@code directory} has, from the listings of its generations.
     *
     * @throws io.github.rarspark.kernel.error.DataException if a listing is missing or damaged
     */
    static NewFiles of(Storage storage, String directory, ListedImages all) throws IOException {
        Published before = Published.of(storage, directory);
        if (before.generations() == 0) {
            return new NewFiles(Growth.ADDS, before, all, 0, 0, List.of());
        }
        Map<String, File> known = new HashMap<>();
        for (int generation = 0; generation < before.generations(); generation++) {
            ListingFile.read(storage, directory, generation, file -> known.put(file.name(), file));
        }
        ListedImages images = all.only(name -> !known.containsKey(name));
        Some changed = new Some();
        all.listing().stream().forEach(file -> {
            File earlier = known.remove(file.name());
            if (earlier != null && !earlier.equals(file)) {
                changed.add(file.name());
            }
        });
        Some removed = new Some();
        known.keySet().forEach(removed::add);
        List<String> warnings = new ArrayList<>();
        removed.warn(warnings, "is gone; its rows stay", "are gone; their rows stay");
        changed.warn(
                warnings,
                "has changed; its rows stay, give it another name to have it tokenized",
                "have changed; their rows stay, give them other names to have them tokenized");
        Growth growth = images.listing().files() == 0 ? Growth.NOTHING_NEW : Growth.ADDS;
        return new NewFiles(growth, before, images, removed.count, changed.count, warnings);
    }

    /** The number of the generation that the new images become. */
    int generation() {
        return before.generations();
    }

    /** Some files, in any order. */
    private static final class Some {
        private long count;
        private String first;

        void add(String name) {
            count++;
            if (first == null || name.compareTo(first) < 0) {
                first = name;
            }
        }

        void warn(List<String> warnings, String one, String several) {
            if (count > 0) {
                warnings.add(first + (count == 1 ? " " + one : " and " + (count - 1) + " more " + several));
            }
        }
    }
}
