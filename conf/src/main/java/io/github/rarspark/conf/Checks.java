package io.github.rarspark.conf;

import java.util.Locale;

/** Turns invalid combinations of values into a {@link RecipeException}. */
final class Checks {

    private Checks() {}

    static void require(boolean holds, String message, Object... values) {
        if (!holds) {
            throw new RecipeException(String.format(Locale.ROOT, message, values));
        }
    }
}
