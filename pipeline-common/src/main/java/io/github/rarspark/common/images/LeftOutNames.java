package io.github.rarspark.common.images;

import java.io.Serializable;
import java.util.List;
import java.util.stream.Stream;

/**
 * Names that a listing leaves out for one reason: how many, and the one that sorts first.
 *
 * @param first empty if there are none
 */
record LeftOutNames(long count, String first) implements Serializable {
    static final LeftOutNames NONE = new LeftOutNames(0, "");

    static LeftOutNames of(Stream<String> names) {
        return names.map(LeftOutNames::of).reduce(NONE, LeftOutNames::and);
    }

    static LeftOutNames of(String name) {
        return new LeftOutNames(1, name);
    }

    LeftOutNames and(LeftOutNames other) {
        boolean isFirst = other.count == 0 || count > 0 && first.compareTo(other.first) <= 0;
        return new LeftOutNames(count + other.count, isFirst ? first : other.first);
    }

    /** Adds a line such as {@code NAME and 3 more are left out}, if there are any. */
    void addTo(List<String> warnings, String ifOne, String ifSeveral) {
        if (count == 1) {
            warnings.add(first + " is " + ifOne);
        } else if (count > 1) {
            warnings.add(first + " and " + (count - 1) + " more are " + ifSeveral);
        }
    }
}
