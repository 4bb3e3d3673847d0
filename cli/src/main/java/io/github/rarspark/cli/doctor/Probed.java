package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.Failures;
import java.io.Serializable;
import java.util.concurrent.Callable;

/**
 * The result of trying something.
 *
 * @param value what came of it; null if it failed
 * @param error the line that says why it failed; null if it did not
 * @param <T> small and serialisable
 */
record Probed<T extends Serializable>(T value, String error) implements Serializable {

    static <T extends Serializable> Probed<T> of(Callable<T> attempt) {
        try {
            return new Probed<>(attempt.call(), null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Probed<>(null, "interrupted");
        } catch (Exception | LinkageError e) { // a library that cannot be loaded is what is looked for
            return new Probed<>(null, Failures.message(e));
        }
    }

    boolean failed() {
        return error != null;
    }
}
