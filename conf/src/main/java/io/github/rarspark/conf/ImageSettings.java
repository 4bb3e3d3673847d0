package io.github.rarspark.conf;

import java.io.Serializable;

/** Images as the tokenizer sees them. */
public record ImageSettings(
        @Setting(value = "256", range = "[1, 4096]", doc = "Side of a square image in pixels.") int size,
        @Setting(value = "ten-crop", doc = "Crops that are made of each image.") Crops crops)
        implements Serializable {}
