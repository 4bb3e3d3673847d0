package io.github.rarspark.conf;

/** Which crops of an image are tokenized. */
public enum Crops {
    /** Corners and centre of a 1.1 times larger image, and the same five of its mirror image: ten rows per image. */
    TEN_CROP,
    /** The centre and its mirror image: two rows per image. */
    CENTER_FLIP,
    /** The centre only. */
    CENTER
}
