package io.github.rarspark.conf;

/**
 * An interval in mathematical notation: {@code [0, 1)} contains 0 but not 1; a missing bound means unbounded.
 *
 * @param text the notation, empty for all numbers
 */
public record Range(String text) {

    /** Checks the notation. */
    public Range {
        if (!text.matches("|[\\[(](-?[\\d.]+)?, (-?[\\d.]+)?[])]")) {
            throw new IllegalArgumentException("Malformed range " + text + ": write it as [0, 1) or (0, )");
        }
    }

    /** Whether {@code value} lies inside. */
    public boolean contains(double value) {
        if (text.isEmpty()) {
            return true;
        }
        int comma = text.indexOf(',');
        String low = text.substring(1, comma).strip();
        String high = text.substring(comma + 1, text.length() - 1).strip();
        boolean aboveLow = low.isEmpty()
                || value > Double.parseDouble(low)
                || text.startsWith("[") && value == Double.parseDouble(low);
        boolean belowHigh = high.isEmpty()
                || value < Double.parseDouble(high)
                || text.endsWith("]") && value == Double.parseDouble(high);
        return aboveLow && belowHigh;
    }

    /** The interval in words, for messages, for example {@code " of at least 1"}. */
    public String words() {
        if (text.isEmpty()) {
            return "";
        }
        return text.startsWith("[") && text.endsWith(", )")
                ? " of at least " + text.substring(1, text.indexOf(','))
                : text.startsWith("(") && text.endsWith(", )")
                        ? " above " + text.substring(1, text.indexOf(','))
                        : " in " + text;
    }
}
