package io.github.rarspark.common.images;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** The members of a tar file that have one key. */
final class TarSample {
    /** Members of no key. */
    static final TarSample NONE = new TarSample(null, null);

    private static final Set<String> IMAGES = Set.of("jpg", "jpeg", "png");
    private static final String CLASS = "cls";
    private static final String JSON = "json";
    private static final List<String> JSON_LABELS = List.of("class_id", "label", "cls");
    private static final int MOST_LABEL_BYTES = 16 << 20;

    private final StoredFile file;
    private final String key;
    private String id = "";
    private long bytes;
    private byte[] image;
    private String unreadable = "";
    private byte[] classText;
    private byte[] json;

    TarSample(StoredFile file, String key) {
        this.file = file;
        this.key = key;
    }

    boolean is(String other) {
        return other.equals(key);
    }

    /**
     * Reads a member as far as it is needed.
     *
     * @throws DataException if there was one of this kind before
     */
    void add(String extension, TarArchiveEntry entry, TarImages.Archive archive) throws IOException {
        if (IMAGES.contains(extension)) {
            requireFirst(id.isEmpty(), "two images");
            id = file.name() + "/" + entry.getName();
            bytes = entry.getSize();
            if (entry.isLink() || entry.isSymbolicLink() || !entry.isFile()) {
                unreadable = "it is a link or a device in the archive, not a file";
            } else if (bytes <= StoredImage.MOST_BYTES) {
                image = archive.content(StoredImage.MOST_BYTES);
            }
        } else if (extension.equals(CLASS)) {
            requireFirst(classText == null, "two members " + key + "." + CLASS);
            classText = archive.content(MOST_LABEL_BYTES);
        } else if (extension.equals(JSON)) {
            requireFirst(json == null, "two members " + key + "." + JSON);
            json = archive.content(MOST_LABEL_BYTES);
        }
    }

    private void requireFirst(boolean isFirst, String what) {
        if (!isFirst) {
            throw new DataException(
                    "Cannot read " + file.path() + ": the key " + key + " has " + what + "; keys have to be unique");
        }
    }

    /** The image, usable or not; empty if no member is about one. */
    Optional<StoredImage> image(Optional<ClassMap> classes) {
        if (id.isEmpty()) {
            return classText == null && json == null
                    ? Optional.empty()
                    : Optional.of(new StoredImage.Unreadable(
                            file.name() + "/" + key, -1, "it has a label, but the archive has no image of its key"));
        }
        if (!unreadable.isEmpty()) {
            return Optional.of(new StoredImage.Unreadable(id, -1, unreadable));
        }
        if (image == null) {
            return Optional.of(StoredImage.Unreadable.tooLarge(id, -1, bytes));
        }
        try {
            return Optional.of(StoredImage.of(id, classId(label(), classes), image));
        } catch (LabelException e) {
            return Optional.of(new StoredImage.Unlabelled(id, image, e.getMessage()));
        }
    }

    private String label() throws LabelException {
        if (classText != null) {
            return new String(classText, StandardCharsets.UTF_8).strip();
        }
        if (json == null) {
            throw new LabelException("It has no label: no member " + key + "." + CLASS + " or " + key + "." + JSON
                    + " follows or precedes it");
        }
        JsonNode root;
        try {
            root = new JsonMapper()
                    .reader()
                    .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .with(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .readTree(json);
        } catch (IOException e) {
            throw new LabelException("It has no label: " + key + "." + JSON + " is malformed, or has a field twice");
        }
        return JSON_LABELS.stream()
                .map(root::path)
                .filter(label -> label.isTextual() || label.isIntegralNumber())
                .findFirst()
                .map(JsonNode::asText)
                .orElseThrow(() -> new LabelException("It has no label: " + key + "." + JSON
                        + " has no number or name under any of " + String.join(", ", JSON_LABELS)));
    }

    private static int classId(String label, Optional<ClassMap> classes) throws LabelException {
        OptionalInt id = classes.isPresent() ? classes.get().id(label) : ClassMap.number(label);
        if (id.isEmpty()) {
            String shown = label.length() <= 100 ? label : label.substring(0, 100) + "…";
            throw new LabelException("Its label \"" + shown + "\" is not a class"
                    + classes.map(map -> " of " + map.path())
                            .orElse(" id; if labels are names, --class-map tells their ids"));
        }
        return id.getAsInt();
    }

    private static final class LabelException extends Exception {
        private static final long serialVersionUID = 1L;

        LabelException(String message) {
            super(message);
        }
    }
}
