package io.github.rarspark.kernel.weights.format;

import java.util.regex.Pattern;

/** Makes text from files safe for messages: on one line, and not too long. */
public final class Text {
    private static final int LONGEST = 120;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    private Text() {}

    /** {@code text} in quotes, shortened, with control characters replaced by question marks. */
    public static String quote(String text) {
        return "'" + line(text) + "'";
    }

    /** {@code text} on one line, shortened. */
    public static String line(String text) {
        String head = text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
        return CONTROL.matcher(head).replaceAll("?");
    }
}
