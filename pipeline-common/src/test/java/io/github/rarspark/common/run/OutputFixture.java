package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.SettableClock;
import io.github.rarspark.conf.ClaimSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** An output that drivers claim, each with a pace of its own, by a clock that the test sets. */
abstract class OutputFixture {
    static final Instant NOON = Instant.parse("2025-01-01T12:00:00Z");
    static final Duration LEASE = Duration.ofSeconds(60);
    static final ClaimSettings CLAIM = new ClaimSettings(60, 120);
    static final Plan PLAN = Plan.of("generate", "r1", Map.of("weights", "w1"), Map.of("shards", "4", "threads", "2"));

    @TempDir
    Path temp;

    final Storage storage = new Storage(new Configuration());
    final SettableClock clock = new SettableClock(NOON);
    final List<String> notices = new ArrayList<>();
    String directory;
    RunOutput output;

    @BeforeEach
    void open() {
        directory = temp.resolve("out").toUri().toString();
        output = seenBy(new SettablePace());
    }

    /** The output as a driver with this pace sees it. */
    RunOutput seenBy(SettablePace pace) {
        return new RunOutput(storage, directory, CLAIM, notices::add, clock, pace);
    }
}
