package io.github.rarspark.conf;

import java.io.Serializable;

/** The images that are tokenized. */
@Settings(
        """
        key   | type  | default  | range     | hashed | meaning
        size  | int   | 256      | [1, 4096] | yes    | Side of the square images in pixels.
        crops | Crops | ten-crop |           | yes    | Crops taken from each image.
        """)
public record ImageSettings(int size, Crops crops) implements Serializable {}
