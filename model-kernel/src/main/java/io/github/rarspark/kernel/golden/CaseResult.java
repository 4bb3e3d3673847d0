package io.github.rarspark.kernel.golden;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The outcome of one golden case.
 *
 * @param name of the case: its folder's
 * @param kind what the case is about: rar, vqgan, ...
 * @param checks in the order they were made
 */
public record CaseResult(@JsonProperty("case") String name, String kind, List<Check> checks) {
    /** Whether there was a check and none failed. */
    @JsonProperty
    public boolean passed() {
        return !checks.isEmpty() && checks.stream().allMatch(Check::passed);
    }
}
