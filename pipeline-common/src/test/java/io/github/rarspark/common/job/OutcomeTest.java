package io.github.rarspark.common.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutcomeTest {
    private static final Plan PLAN = Plan.of("tokenize", "r1", Map.of(), Map.of());
    private static final Instant START = Instant.parse("2024-11-01T12:00:00Z");

    private static JobResult after(long nanos) {
        return Outcome.of(Map.of(), Map.of(), List.of())
                .withRate("images_per_second", 8)
                .result(PLAN, START, START.plusNanos(nanos));
    }

    @Test
    void aRateIsPerSecondOfTheJob() {
        assertThat(after(2_000_000_000L).metrics()).isEqualTo(Map.of("images_per_second", 4.0));
    }

    @Test
    void theRateOfAJobOfNoTimeIsFinite() {
        assertThat(after(999_999).metrics()).isEqualTo(Map.of("images_per_second", 8000.0));
    }
}
