package io.github.rarspark.conf;

import java.io.Serializable;

/** The demo: the other sections run one after the other on embedded data. */
public record DemoSettings(
        @Setting(value = "", altersResult = false, doc = "Folder for everything that the demo makes.") String output,
        @Setting(value = "0", range = "[0, )", doc = "Embedded images to tokenize and train on; 0 is all.") int images,
        @Setting(value = "1000", range = "[2, )", doc = "Images to generate and score.") int count)
        implements Serializable {}
