package io.github.rarspark.common;

/** What the process ends with, after sysexits.h. */
public enum ExitCode {
    /** Done, or nothing left to do. */
    OK(0),
    /** A wrong option, recipe key or combination of them. */
    USAGE(64),
    /** Bad data or weights. */
    DATA(65),
    /** An input that is not there. */
    NO_INPUT(66),
    /** The cluster or the machine cannot provide what is asked. */
    UNAVAILABLE(69),
    /** Our fault. */
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

    /** The number the process ends with. */
    public int number() {
        return number;
    }

    /** Whether the same command may succeed when it is run again without a change. */
    public boolean retryable() {
        return this == TEMPORARY || this == INTERRUPTED;
    }
}
