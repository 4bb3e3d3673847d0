package io.github.rarspark.conf;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Suggests names for a mistyped one. */
public final class Near {

    private static final int SUGGESTIONS = 6;
    private static final LevenshteinDistance EDITS = LevenshteinDistance.getDefaultInstance();

    private Near() {}

    /**
     * Returns at most six of {@code names} that are similar to {@code wrong}, the nearest first: those within an edit
     * distance of a third of its length and not much farther than the nearest. A name without a dot is also compared
     * with the last part of dotted ones.
     */
    public static List<String> to(String wrong, Collection<String> names) {
        String lower = wrong.toLowerCase(Locale.ROOT);
        int nearest =
                names.stream().mapToInt(name -> distance(lower, name)).min().orElse(0);
        int limit = Math.min(nearest + 1, Math.max(2, wrong.length() / 3));
        return names.stream()
                .filter(name -> distance(lower, name) <= limit)
                .sorted(Comparator.comparingInt((String name) -> distance(lower, name))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(SUGGESTIONS)
                .toList();
    }

    /** Returns a clause with the similar names, such as {@code "; did you mean a or b?"}, or an empty string. */
    public static String clause(String wrong, Collection<String> names) {
        List<String> near = to(wrong, names);
        return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    }

    private static int distance(String wrong, String name) {
        int whole = EDITS.apply(wrong, name);
        boolean lastPartOnly = wrong.indexOf('.') < 0 && name.indexOf('.') >= 0;
        return lastPartOnly ? Math.min(whole, EDITS.apply(wrong, name.substring(name.indexOf('.') + 1))) : whole;
    }
}
