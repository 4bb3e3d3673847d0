package io.github.rarspark.common.run;

/** Whether a job may add to what its output has published, by a generation with a plan of its own. */
public enum Growth {
    /** An output is of one plan. */
    NONE,
    /** An output is of one plan, unless the user asks for {@code --incremental}. */
    OFFERED,
    /** The job adds a generation, and replaces one of other new files that is half made. */
    ADDS,
    /** The job could add a generation but there is nothing new: a finished output stays as it is. */
    NOTHING_NEW;

    boolean adds() {
        return this == ADDS || this == NOTHING_NEW;
    }
}
