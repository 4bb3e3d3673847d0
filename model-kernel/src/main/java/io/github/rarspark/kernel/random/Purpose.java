package io.github.rarspark.kernel.random;

/**
 * What a random stream is used for. The identifier is part of the stream's key, so it never changes after a release,
 * and is unique.
 */
public enum Purpose {
    /** Initial weights: index (tensor name's hash). */
    INITIAL_WEIGHTS(1),
    /** The order of the samples in an epoch: index (epoch). */
    EPOCH_ORDER(2),
    /** The factorization order of a training sample: index (step, row of the global batch). */
    PERMUTATION(3),
    /** Dropping a training sample's class: index (step, row of the global batch). */
    CLASS_DROP(4),
    /** Dropout masks: index (step, row of the global batch, layer, site). */
    DROPOUT(5),
    /** Drawing tokens: index (class, image index). */
    SAMPLE_TOKENS(6),
    /** The order in which a sampled image's tokens are drawn: index (class, image index). */
    SAMPLE_ORDER(7),
    /** Replacing unused codes while training a tokenizer: index (step). */
    CODEBOOK_RESTART(8),
    /** Augmenting a training image: index (step, row of the batch). */
    AUGMENT(9),
    /** Splitting a data set at random: index (part). */
    SPLIT(10),
    /** The rows of a subset that a metric is estimated on: index (subset). */
    METRIC_SUBSET(11);

    private final int id;

    Purpose(int id) {
        this.id = id;
    }

    /** The identifier in the stream's key. */
    public int id() {
        return id;
    }
}
