package io.github.rarspark.common;

import java.util.stream.Stream;

/** The exit code of the process, following sysexits.h. */
public enum ExitCode {
    /** Done, or nothing left to do. */
    OK(0),
    /** A wrong option, recipe key or combination of them. */
    USAGE(64),
    /** Bad data or weights. */
    DATA(65),
    /** A missing input. */
    NO_INPUT(66),
    /** The cluster or the machine cannot provide what is asked. */
    UNAVAILABLE(69),
    /** An internal error. */
    INTERNAL(70),
    /** The output exists and belongs to another run. */
    OUTPUT_EXISTS(73),
    /** Temporary: run again. */
    TEMPORARY(75),
    /** Interrupted by the user or the scheduler. */
    INTERRUPTED(130);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    /**
     * The code with this number.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static ExitCode of(int number) {
        return Stream.of(values())
                .filter(code -> code.number == number)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("No exit code is " + number));
    }

    /** The numeric exit code. */
    public int number() {
        return number;
    }

    /** Whether running the same command again may succeed without a change. */
    public boolean retryable() {
        return this == TEMPORARY || this == INTERRUPTED;
    }
}
