package io.github.rarspark.conf;

import java.io.Serializable;

/** The demo: runs the other jobs in sequence on embedded data. */
@Settings(
        """
        key    | type   | default | range | hashed | meaning
        output | String |         |       | no     | Output folder for everything that the demo writes.
        """)
public record DemoSettings(String output) implements Serializable {}
