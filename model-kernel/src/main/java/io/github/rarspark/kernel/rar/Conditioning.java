package io.github.rarspark.kernel.rar;

/** How the class reaches the blocks. */
public enum Conditioning {
    /** Adaptive layer normalization from class and position (the released models). */
    ADALN,
    /** Only as the second token of the sequence (the paper's "plain" ablations). */
    PLAIN
}
