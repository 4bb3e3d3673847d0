package io.github.rarspark.common.images;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rarspark.common.storage.Json;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was found out about the images of a unit. The findings are stored in the footer of the unit's shard, so that a
 * later attempt need not read the images again.
 *
 * @param bad the images that cannot be used, in order
 * @param oriented the number of usable images whose EXIF orientation is not upright; it is not applied
 */
public record ImageFindings(List<BadImage> bad, long oriented) implements Serializable {
    /** All images are upright and can be used. */
    public static final ImageFindings NONE = new ImageFindings(List.of(), 0);

    private static final String BAD_KEY = "rarspark.quarantine";
    private static final String ORIENTED_KEY = "rarspark.oriented";

    /** Copies the list. */
    public ImageFindings {
        bad = List.copyOf(bad);
    }

    /** The entries for a footer. */
    public Map<String, String> footer() {
        Map<String, String> footer = new TreeMap<>(Map.of(BAD_KEY, Json.line(bad)));
        if (oriented > 0) {
            footer.put(ORIENTED_KEY, Long.toString(oriented));
        }
        return footer;
    }

    /**
     * The findings in a footer; none if it has none.
     *
     * @param file of the footer, for messages
     */
    public static ImageFindings of(Map<String, String> footer, String file) {
        String json = footer.getOrDefault(BAD_KEY, "[]");
        List<BadImage> bad = new ArrayList<>();
        for (JsonNode item : Json.read(json.getBytes(StandardCharsets.UTF_8), JsonNode.class, file)) {
            bad.add(Json.convert(item, BadImage.class));
        }
        return new ImageFindings(bad, Long.parseLong(footer.getOrDefault(ORIENTED_KEY, "0")));
    }
}
