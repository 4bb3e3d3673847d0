package io.github.rarspark.common.images;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The class ids of names. Three notations are read:
 *
 * <ul>
 *   <li>text with a line per class, in the order of the ids: its name, then, after white space, a readable label if it
 *       has one (ImageNet's {@code LOC_synset_mapping.txt});
 *   <li>JSON of ids to names, or to lists of a name and a label (Keras' {@code imagenet_class_index.json});
 *   <li>JSON of names to ids.
 * </ul>
 *
 * @param path the file, for messages
 * @param sha256 its hash
 * @param ids the id of each name
 * @param labels the labels by id; the name where there is none
 */
public record ClassMap(String path, String sha256, HashMap<String, Integer> ids, List<String> labels)
        implements Serializable {
    private static final int MOST_BYTES = 64 << 20;

    /**
     * Reads a file.
     *
     * @throws DataException if it has another form, a name twice, or not one name for each id from 0 on
     */
    public static ClassMap read(Storage storage, String path) throws IOException {
        if (storage.length(path) > MOST_BYTES) {
            throw new DataException("Cannot read " + path + ": it has " + storage.length(path)
                    + " bytes, which is no list of class names");
        }
        byte[] content = storage.readBytes(path);
        String text = new String(content, StandardCharsets.UTF_8);
        Builder builder = new Builder(path);
        if (text.stripLeading().startsWith("{")) {
            builder.json(text);
        } else {
            builder.lines(text.lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList());
        }
        return builder.build(Sha256.of(content));
    }

    /** The id of a name, or of a number below the number of classes that is not a name; empty if it is neither. */
    public OptionalInt id(String name) {
        Integer named = ids.get(name);
        if (named != null) {
            return OptionalInt.of(named);
        }
        OptionalInt number = number(name);
        return number.isPresent() && number.getAsInt() < labels.size() ? number : OptionalInt.empty();
    }

    /**
     * Checks that it has as many classes as the recipe.
     *
     * @throws DataException if it has more or fewer
     */
    void requireSize(int classes) {
        if (labels.size() != classes) {
            throw new DataException("Cannot use the classes in " + path + ": it has " + labels.size()
                    + ", and model.classes=" + classes + "; set model.classes=" + labels.size()
                    + ", or give the file of these images");
        }
    }

    /** The number that a text is; empty if it is none, or not from 0 to 2^31 - 1. */
    static OptionalInt number(String text) {
        try {
            boolean isDigits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
            return isDigits ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    private static final class Builder {
        private final String path;
        private final HashMap<String, Integer> ids = new HashMap<>();
        private final Map<Integer, String> labels = new HashMap<>();

        Builder(String path) {
            this.path = path;
        }

        void lines(List<String> lines) {
            for (int id = 0; id < lines.size(); id++) {
                String[] parts = lines.get(id).split("\\s+", 2);
                add(id, parts[0], parts[parts.length - 1]);
            }
        }

        void json(String text) {
            ObjectReader reader = new JsonMapper()
                    .reader()
                    .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .with(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
            try {
                reader.readTree(text).fields().forEachRemaining(entry -> add(entry.getKey(), entry.getValue()));
            } catch (JsonProcessingException e) {
                throw refused("it is not JSON, or has a key twice: " + e.getOriginalMessage(), e);
            }
        }

        private void add(String key, JsonNode value) {
            if (value.isIntegralNumber() && value.canConvertToInt()) {
                add(value.intValue(), key, key);
                return;
            }
            int id = number(key).orElseThrow(() -> refused("the key " + key + " is not a class id", null));
            JsonNode name = value.isArray() ? value.path(0) : value;
            JsonNode label = value.isArray() && value.size() > 1 ? value.path(1) : name;
            if (!name.isTextual() || !label.isTextual()) {
                throw refused("the class " + key + " has no name", null);
            }
            add(id, name.textValue(), label.textValue());
        }

        private void add(int id, String name, String label) {
            if (ids.put(name, id) != null) {
                throw refused("it has the name " + name + " twice", null);
            }
            if (labels.put(id, label) != null) {
                throw refused("it has the class id " + id + " twice", null);
            }
        }

        ClassMap build(String sha256) {
            String[] byId = new String[labels.size()];
            if (byId.length == 0) {
                throw refused("it has no classes", null);
            }
            labels.forEach((id, label) -> {
                if (id < 0 || id >= byId.length) {
                    throw refused("it has " + byId.length + " classes, and one of them has the id " + id, null);
                }
                byId[id] = label;
            });
            return new ClassMap(path, sha256, ids, new ArrayList<>(Arrays.asList(byId)));
        }

        private DataException refused(String why, Exception cause) {
            return new DataException(
                    "Cannot read the classes in " + path + ": " + why
                            + "; expected a line \"NAME LABEL\" per class, or JSON such as {\"0\": [\"NAME\", \"LABEL\"]}"
                            + " or {\"NAME\": 0}, with ids from 0 on",
                    cause);
        }
    }
}
