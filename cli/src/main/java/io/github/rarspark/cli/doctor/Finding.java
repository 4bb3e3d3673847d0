package io.github.rarspark.cli.doctor;

import java.util.List;
import java.util.Locale;

/**
 * What a check found.
 *
 * @param status whether a job can run so
 * @param check what was checked, such as {@code ports}
 * @param value what it found
 * @param fix what to do, beginning with a verb; empty if all is well
 * @param where the processes that it is about; empty for the configuration
 */
public record Finding(Status status, String check, String value, String fix, List<String> where) {
    private static final int NAMED = 4;

    /** What a finding means. */
    public enum Status {
        /** As it should be. */
        OK,
        /** Works, but slowly, or not in every case. */
        WARN,
        /** The job would fail. */
        FAIL
    }

    /** Copies the places. */
    public Finding {
        where = List.copyOf(where);
    }

    static Finding ok(String check, String value) {
        return new Finding(Status.OK, check, value, "", List.of());
    }

    static Finding warn(String check, String value, String fix) {
        return new Finding(Status.WARN, check, value, fix, List.of());
    }

    static Finding fail(String check, String value, String fix) {
        return new Finding(Status.FAIL, check, value, fix, List.of());
    }

    /** The same about these processes. */
    Finding at(List<String> processes) {
        return new Finding(status, check, value, fix, processes);
    }

    /** Whether both say the same, perhaps of other processes. */
    boolean isLike(Finding other) {
        return at(List.of()).equals(other.at(List.of()));
    }

    /** One line. */
    String text() {
        String place = where.isEmpty() ? "" : where.size() > NAMED ? " [" + where.size() + " processes]" : " " + where;
        return String.format(
                Locale.ROOT, "%-4s  %s: %s%s%s", status, check, value, fix.isEmpty() ? "" : "; " + fix, place);
    }
}
