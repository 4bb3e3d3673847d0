package io.github.rarspark.conf;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One key of a recipe. {@link Keys} has all of them.
 *
 * @param name dotted, for example {@code train.batch}
 * @param type int, long, double, boolean, String, an enum, BadLimit, or List for a comma-separated list of integers
 * @param defaultText the default in the notation of the command line; empty means not given
 * @param range the allowed interval of a number
 * @param description one sentence
 * @param altersResult whether recipes with different values count as different: hashes and plans cover the key
 */
public record Key(
        String name, Class<?> type, String defaultText, Range range, String description, boolean altersResult) {

    /** The part before the dot, for example {@code train}; empty for a key of the recipe itself. */
    public String section() {
        return name.substring(0, Math.max(0, name.indexOf('.')));
    }

    /** The default in canonical notation, as returned by {@link Recipe#get}. */
    String defaultValue() {
        return format(parse(defaultText, "the default"));
    }

    /** The type and its limits in words, for example {@code integer of at least 1}. */
    public String typeText() {
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants()).map(Key::format).collect(Collectors.joining(" or "));
        }
        if (type == BadLimit.class) {
            return BadLimit.NOTATION;
        }
        String noun = type == int.class || type == long.class
                ? "integer"
                : type == double.class
                        ? "number"
                        : type == boolean.class
                                ? "true or false"
                                : type == List.class ? "integers separated by commas" : "text";
        return noun + range.words();
    }

    /** Parses {@code text} to an instance of {@link #type}, boxed if primitive. */
    Object parse(String text, String origin) {
        try {
            Object value = parseUnchecked(text.strip());
            if (value instanceof Number number && !range.contains(number.doubleValue())) {
                throw new IllegalArgumentException("out of range");
            }
            return value;
        } catch (IllegalArgumentException e) {
            throw new RecipeException(
                    "Cannot use " + name + "=" + text + " (from " + origin + "): give " + typeText()
                            + limit(text.strip()),
                    e);
        }
    }

    /** The type's own limit, if {@code text} is beyond it and the range has none. */
    private String limit(String text) {
        boolean unbounded = range.text().isEmpty() || range.text().endsWith(", )");
        if (!unbounded || !text.matches("\\d{10,}") || type != int.class && type != long.class) {
            return "";
        }
        return " and at most " + (type == int.class ? Integer.MAX_VALUE : Long.MAX_VALUE);
    }

    private Object parseUnchecked(String text) {
        if (type == int.class) {
            return Integer.parseInt(text);
        }
        if (type == long.class) {
            return Long.parseLong(text);
        }
        if (type == double.class) {
            return finite(Double.parseDouble(text));
        }
        if (type == boolean.class) {
            return switch (text) {
                case "true" -> true;
                case "false" -> false;
                default -> throw new IllegalArgumentException(text);
            };
        }
        if (type == List.class) {
            return text.isEmpty()
                    ? List.of()
                    : Arrays.stream(text.split(",", -1))
                            .map(part -> Integer.valueOf(part.strip()))
                            .toList();
        }
        if (type == BadLimit.class) {
            return BadLimit.parse(text);
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .filter(constant -> format(constant).equals(text))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(text));
        }
        return text;
    }

    private static double finite(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw new IllegalArgumentException("not finite");
        }
        return value;
    }

    /** The notation of the command line: enum constants in kebab case, lists with commas, numbers without exponent. */
    static String format(Object value) {
        if (value instanceof Double number) {
            return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
        }
        if (value instanceof Enum<?> constant) {
            return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
        if (value instanceof List<?> list) {
            return list.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        return String.valueOf(value);
    }
}
