package io.github.rarspark.generate;

import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The names of the classes, for captions.
 *
 * @param names by class id; those of the last classes may be missing, or all
 */
record ClassNames(List<String> names) {
    private static final Logger LOG = LoggerFactory.getLogger(ClassNames.class);
    /** Metadata of a model's file: a JSON list. */
    private static final String CLASS_NAMES = "class_names";

    ClassNames {
        names = List.copyOf(names);
    }

    /** Those of a text file, one a line. */
    static ClassNames read(Storage storage, String path, int classes) throws IOException {
        PreFlight.requireInput(storage, "generate.class_names", path);
        List<String> lines = storage.readString(path).lines().map(String::strip).toList();
        if (lines.size() != classes) {
            throw new DataException("Cannot use generate.class_names=" + path + ": it has " + lines.size()
                    + " lines, and the model " + classes + " classes; give a line for the name of each class");
        }
        return new ClassNames(lines);
    }

    /** Those that training keeps in a model's file; none if it has none. */
    static ClassNames of(Map<String, String> metadata, String file) {
        String json = metadata.getOrDefault(CLASS_NAMES, "[]");
        try {
            return new ClassNames(
                    List.of(Json.read(json.getBytes(StandardCharsets.UTF_8), String[].class, CLASS_NAMES)));
        } catch (DataException | NullPointerException e) {
            LOG.warn("The metadata {} of {} is not a JSON list of names; captions are numbers", CLASS_NAMES, file);
            return new ClassNames(List.of());
        }
    }

    /** The name of a class, or its number where the name is not known. */
    String of(int classId) {
        return classId < names.size() ? names.get(classId) : "class " + classId;
    }
}
