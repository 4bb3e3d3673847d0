package io.github.rarspark.train;

/**
 * How far a training is. Its JSON is part of a checkpoint's {@code state.json}.
 *
 * @param step the updates made or skipped, which is the number of the next
 * @param skipped how many of them changed nothing, because of their gradient
 * @param skippedInRow how many of the last
 */
record StepCounter(long step, long skipped, int skippedInRow) {
    /** Before the first update. */
    static final StepCounter START = new StepCounter(0, 0, 0);

    /** After another update. */
    StepCounter next(boolean skip) {
        return skip ? new StepCounter(step + 1, skipped + 1, skippedInRow + 1) : new StepCounter(step + 1, skipped, 0);
    }

    /** The updates that changed the weights. */
    long updates() {
        return step - skipped;
    }
}
