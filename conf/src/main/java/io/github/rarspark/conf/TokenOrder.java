package io.github.rarspark.conf;

/** The order in which the tokens of an image are predicted; the fixed ones are those in Table 3 of the paper. */
public enum TokenOrder {
    /** Raster order: rows from top to bottom, each from left to right. */
    ROW_MAJOR,
    /** Rows from top to bottom, odd ones from right to left. */
    ALTERNATE,
    /** The Morton curve; needs a power-of-two side. */
    Z_CURVE,
    /** The Morton curve with the bits of row and column reversed: coarse to fine; needs a power-of-two side. */
    SUBSAMPLE,
    /** From the bottom right corner inward. */
    SPIRAL_IN,
    /** The reverse of spiral-in. */
    SPIRAL_OUT,
    /** A random permutation per image. */
    RANDOM
}
