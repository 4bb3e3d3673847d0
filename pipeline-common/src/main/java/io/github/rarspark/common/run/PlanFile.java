package io.github.rarspark.common.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;

/**
 * {@code _plan.json}, the first object of an output, and the objects of later attempts.
 *
 * @param planSha256 the plan's hash
 * @param plan the plan
 * @param attempt 1 for the first run over this output, incremented by each take-over
 * @param owner the identity of the driver that works on this attempt
 * @param started when the attempt began
 * @param replaces the hash of the plan whose unfinished work this attempt deletes before its own; null if none
 */
record PlanFile(
        String planSha256,
        Plan plan,
        int attempt,
        String owner,
        Instant started,
        @JsonInclude(JsonInclude.Include.NON_NULL) String replaces) {
    static final String NAME = "_plan.json";
}
