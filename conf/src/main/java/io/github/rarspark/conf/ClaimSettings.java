package io.github.rarspark.conf;

import java.io.Serializable;

/** How drivers share an output: one works on it, and another takes over when that one is gone. */
public record ClaimSettings(
        @Setting(
                        value = "60",
                        range = "[3, 86400]",
                        altersResult = false,
                        doc = "Seconds without a heartbeat of the driver after which another may take over its output.")
                int leaseSeconds,
        @Setting(
                        value = "120",
                        range = "[0, )",
                        altersResult = false,
                        doc = "Longest wait in seconds for a driver that may still work on the output, which takes one"
                                + " lease of that driver. If that is longer, the job ends with 75 at once.")
                int waitSeconds)
        implements Serializable {}
