package io.github.rarspark.conf;

import java.io.Serializable;

/** The demo: runs the other jobs in sequence on embedded data. */
public record DemoSettings(
        @Setting(value = "", altersResult = false, doc = "Folder for everything that the demo makes.") String output)
        implements Serializable {}
