package io.github.rarspark.conf;

import java.io.Serializable;

/** How drivers claim an output: one works on it, and another takes over when its lease has expired. */
@Settings(
        """
        key           | type | default | range      | hashed | meaning
        lease_seconds | int  | 60      | [3, 86400] | no     | Seconds without a heartbeat after which another driver
                                                               may take over a driver's output.
        wait_seconds  | int  | 120     | [0, )      | no     | Maximum wait in seconds for another driver's heartbeat,
                                                               which takes one lease of that driver; if its lease is
                                                               longer, the job ends with 75 at once.
        """)
public record ClaimSettings(int leaseSeconds, int waitSeconds) implements Serializable {}
