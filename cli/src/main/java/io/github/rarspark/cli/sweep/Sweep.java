package io.github.rarspark.cli.sweep;

import io.github.rarspark.conf.Key;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Near;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.RecipeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The settings to compare.
 *
 * @param axes the values of each key, in the order of the command line
 * @param points the combinations of all values; those of the last key alternate fastest
 */
public record Sweep(List<Axis> axes, List<Point> points) {
    /** The option. */
    public static final String OPTION = "--sweep";

    private static final String SECTION = "generate";
    private static final int MOST_POINTS = 100;

    /** Scores of sets of different sizes do not compare. */
    private static final Set<String> NUMBERS_OF_IMAGES = Set.of("generate.count", "generate.samples_per_class");

    /** Copies the lists. */
    public Sweep {
        axes = List.copyOf(axes);
        points = List.copyOf(points);
    }

    /**
     * A key and its values.
     *
     * @param values in the notation of the command line
     */
    record Axis(Key key, List<String> values) {
        /** The key without its section. */
        String name() {
            return key.name().substring(SECTION.length() + 1);
        }

        boolean isNumber() {
            return !key.type().isEnum();
        }
    }

    /**
     * A combination of values.
     *
     * @param values one of each axis
     * @param recipe has these values
     */
    record Point(List<String> values, Recipe recipe) {}

    /**
     * Reads the values of the option.
     *
     * @param options each {@code KEY=VALUE,VALUE,…}
     * @param recipe has the other settings
     * @throws RecipeException if a key cannot be swept, a value is invalid, there are too many points, or the recipe does
     *     not say how to score
     */
    public static Sweep of(List<String> options, Recipe recipe) {
        for (String key : List.of("fid.reference", "fid.features")) {
            if (recipe.get(key).isEmpty()) {
                throw new RecipeException("Cannot use " + OPTION + " without " + key + ", to score the images: give"
                        + " --set " + key + "=... as in fid --" + key.substring(key.indexOf('.') + 1));
            }
        }
        List<Axis> axes = new ArrayList<>();
        for (String option : options) {
            Axis axis = axis(option, recipe);
            if (axes.stream().anyMatch(other -> other.key().equals(axis.key()))) {
                throw new RecipeException("Cannot use " + OPTION + " "
                        + axis.key().name() + " twice: give all values at once, separated by commas");
            }
            axes.add(axis);
        }
        double points = axes.stream().mapToDouble(axis -> axis.values().size()).reduce(1, (one, other) -> one * other);
        if (points > MOST_POINTS) {
            throw new RecipeException(String.format(
                    Locale.ROOT,
                    "Cannot use %s with %.0f combinations of values: the maximum number is %d; give fewer values",
                    OPTION,
                    points,
                    MOST_POINTS));
        }
        return new Sweep(axes, points(axes, recipe));
    }

    /** The name of a point, such as {@code guidance_scale=2_temperature=0.9}: safe in a URI. */
    String name(Point point) {
        return label(point, 0, "_");
    }

    /** The values of a point from an axis on, with the names of the keys. */
    String label(Point point, int from, String separator) {
        List<String> parts = new ArrayList<>();
        for (int i = from; i < axes.size(); i++) {
            parts.add(axes.get(i).name() + "=" + point.values().get(i));
        }
        return String.join(separator, parts);
    }

    private static Axis axis(String option, Recipe recipe) {
        int equals = option.indexOf('=');
        if (equals < 0) {
            throw new RecipeException("Cannot use " + OPTION + " " + option + ": expected KEY=VALUE,VALUE,...");
        }
        Key key = key(option.substring(0, equals).strip());
        Set<String> values = new LinkedHashSet<>();
        for (String text : option.substring(equals + 1).split(",", -1)) {
            if (text.isBlank()) {
                throw new RecipeException("Cannot use " + OPTION + " " + option + ": a value is empty; remove the comma"
                        + " or give the value");
            }
            String value = with(recipe, Map.of(key.name(), text)).get(key.name());
            if (!values.add(value)) {
                throw new RecipeException("Cannot use " + OPTION + " " + option + ": the value " + value
                        + " is listed twice; remove one");
            }
        }
        return new Axis(key, List.copyOf(values));
    }

    private static Key key(String name) {
        Map<String, Key> keys = Recipe.KEYS.all().stream()
                .filter(Sweep::canBeSwept)
                .collect(Collectors.toMap(Key::name, key -> key, (one, other) -> one, LinkedHashMap::new));
        if (keys.containsKey(name)) {
            return keys.get(name);
        }
        String sweepable = ": the keys to compare are " + String.join(", ", keys.keySet());
        if (Recipe.KEYS.all().stream().anyMatch(key -> key.name().equals(name))) {
            throw new RecipeException("Cannot use " + OPTION + " with " + name + sweepable);
        }
        String near = Near.clause(name, keys.keySet());
        throw new RecipeException(
                "Unknown key " + name + " (from " + OPTION + ")" + (near.isEmpty() ? sweepable : near));
    }

    /** Numbers and choices of sampling; other settings say where the images go, or which there are. */
    private static boolean canBeSwept(Key key) {
        boolean choice = key.type().isEnum();
        boolean number = key.type() == int.class || key.type() == long.class || key.type() == double.class;
        return key.section().equals(SECTION)
                && key.altersResult()
                && (choice || number)
                && !NUMBERS_OF_IMAGES.contains(key.name());
    }

    private static List<Point> points(List<Axis> axes, Recipe recipe) {
        List<List<String>> combinations = List.of(List.of());
        for (Axis axis : axes) {
            List<List<String>> longer = new ArrayList<>();
            for (List<String> combination : combinations) {
                for (String value : axis.values()) {
                    List<String> values = new ArrayList<>(combination);
                    values.add(value);
                    longer.add(List.copyOf(values));
                }
            }
            combinations = longer;
        }
        return combinations.stream()
                .map(values -> {
                    Map<String, String> settings = new LinkedHashMap<>();
                    for (int i = 0; i < axes.size(); i++) {
                        settings.put(axes.get(i).key().name(), values.get(i));
                    }
                    return new Point(values, with(recipe, settings));
                })
                .toList();
    }

    private static Recipe with(Recipe recipe, Map<String, String> values) {
        return Recipe.resolve(new Layer(OPTION, values), new Layer("the recipe", recipe.values()));
    }
}
