package io.github.rarspark.conf;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/** Reads recipes: shipped ones by name, others from text. */
public final class Recipes {

    private static final Pattern PROBLEM_LINE = Pattern.compile("(?m)^ in 'reader', line (\\d+)");
    private static final List<String> NAMES = List.of("demo", "rar-s", "rar-b", "rar-l", "rar-xl", "rar-xxl");
    private static final String EXTENDS = "extends";

    private Recipes() {}

    /** The names of the shipped recipes. */
    public static List<String> names() {
        return NAMES;
    }

    /**
     * Returns the text of a shipped recipe, comments included.
     *
     * @throws RecipeException if there is no recipe of this name; the message lists the existing ones
     */
    public static String text(String name) {
        if (!NAMES.contains(name)) {
            String near = Near.clause(name, NAMES);
            throw new RecipeException("Unknown recipe " + name
                    + (near.isEmpty() ? ": use a file or one of " + String.join(", ", NAMES) : near));
        }
        try (InputStream in = Recipes.class.getResourceAsStream("/recipes/" + name + ".yaml")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read the shipped recipe " + name, e);
        }
    }

    /** Returns a shipped recipe with all defaults. */
    public static Recipe load(String name) {
        return Recipe.resolve(layer(name));
    }

    /** Returns the values of a shipped recipe as a layer. */
    public static Layer layer(String name) {
        return parse(text(name), "recipe " + name);
    }

    /**
     * Returns the values of a recipe as a layer. A recipe is YAML: sections and keys, and optionally {@code extends:
     * NAME} with the name of a shipped recipe to start from.
     *
     * @param yaml the text
     * @param origin its name in messages
     * @throws RecipeException if the text is not YAML of this form
     */
    public static Layer parse(String yaml, String origin) {
        Map<String, String> values = new LinkedHashMap<>();
        try {
            JsonNode root = new ObjectMapper(new YAMLFactory())
                    .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .readTree(yaml);
            if (!root.isObject() && !root.isMissingNode()) {
                throw new RecipeException("Cannot read " + origin + ": expected lines of the form 'key: value'");
            }
            flatten(root, "", values, origin);
        } catch (JacksonException e) {
            throw new RecipeException("Cannot read " + origin + ", line " + line(e) + ": " + problem(e), e);
        }
        String parent = values.remove(EXTENDS);
        if (parent == null) {
            return new Layer(origin, values);
        }
        return new Layer(origin, values).over(layer(parent));
    }

    /** Where the problem is; the exception's own location is where its context begins. */
    private static int line(JacksonException e) {
        return PROBLEM_LINE
                .matcher(e.getOriginalMessage())
                .results()
                .map(match -> Integer.parseInt(match.group(1)))
                .reduce((context, problem) -> problem)
                .orElse(e.getLocation() == null ? 0 : e.getLocation().getLineNr());
    }

    /** The parser's messages tell the context first, then the problem, each followed by indented lines of the text. */
    private static String problem(JacksonException e) {
        return e.getOriginalMessage()
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith(" ") && !line.startsWith("in "))
                .reduce((context, problem) -> problem)
                .orElse("not YAML");
    }

    private static void flatten(JsonNode node, String prefix, Map<String, String> values, String origin) {
        node.fields().forEachRemaining(field -> {
            String name = prefix + field.getKey();
            JsonNode value = field.getValue();
            if (value.isObject()) {
                flatten(value, name + ".", values, origin);
            } else if (values.put(name, text(value)) != null) {
                throw new RecipeException("Cannot use " + name + " twice (in " + origin + "): remove one");
            }
        });
    }

    private static String text(JsonNode value) {
        if (!value.isArray()) {
            return value.isNull() ? "" : value.asText();
        }
        StringJoiner list = new StringJoiner(",");
        value.forEach(item -> list.add(item.asText()));
        return list.toString();
    }
}
