package io.github.rarspark.conf;

import java.io.Serializable;

/** Images as the tokenizer sees them. */
@Settings(
        """
        key   | type  | default  | range     | hashed | meaning
        size  | int   | 256      | [1, 4096] | yes    | Side of a square image in pixels.
        crops | Crops | ten-crop |           | yes    | Crops that are made of each image.
        """)
public record ImageSettings(int size, Crops crops) implements Serializable {}
