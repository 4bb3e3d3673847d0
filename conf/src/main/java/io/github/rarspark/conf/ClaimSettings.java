package io.github.rarspark.conf;

import java.io.Serializable;

/** How drivers share an output: one works on it, and another takes over when that one is gone. */
@Settings(
        """
        key           | type | default | range      | hashed | meaning
        lease_seconds | int  | 60      | [3, 86400] | no     | Seconds without a heartbeat of the driver after which
                                                               another may take over its output.
        wait_seconds  | int  | 120     | [0, )      | no     | Longest wait in seconds for a driver that may still work
                                                               on the output, which takes one lease of that driver. If
                                                               that is longer, the job ends with 75 at once.
        """)
public record ClaimSettings(int leaseSeconds, int waitSeconds) implements Serializable {}
