package io.github.rarspark.common.run;

import java.time.Instant;

/**
 * {@code _plan.json}, the first object of an output.
 *
 * @param planSha256 the plan's hash
 * @param plan the plan
 * @param attempt 1 for the first run over this output, one more for each that takes over
 * @param owner the identity of the driver that works on this attempt
 * @param started when the attempt began
 */
record PlanFile(String planSha256, Plan plan, int attempt, String owner, Instant started) {
    static final String NAME = "_plan.json";
}
