package io.github.rarspark.conf;

import java.io.Serializable;

/** The demo: the other sections run one after the other on embedded data. */
public record DemoSettings(
        @Setting(value = "", altersResult = false, doc = "Folder for everything that the demo makes.") String output)
        implements Serializable {}
