package io.github.rarspark.conf;

/** How the class conditions a block. */
public enum Conditioning {
    /** Adaptive layer norm: shift, scale and gate of each block are functions of class and position. */
    ADALN,
    /** The class is only a prefix token, as in the paper's ablations. */
    PLAIN
}
