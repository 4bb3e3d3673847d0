package io.github.rarspark.cli.doctor;

import io.github.rarspark.cli.doctor.Finding.Status;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What doctor found.
 *
 * @param command that the checks are for
 * @param master the cluster
 * @param executors how many there were
 * @param findings in the order of the checks
 * @param passed whether none failed
 */
public record DoctorReport(String command, String master, int executors, List<Finding> findings, boolean passed) {

    static DoctorReport of(String command, String master, int executors, List<Finding> findings) {
        List<Finding> merged = merge(findings);
        return new DoctorReport(
                command, master, executors, merged, merged.stream().noneMatch(one -> one.status() == Status.FAIL));
    }

    /** Makes one finding of those that say the same of several processes. */
    private static List<Finding> merge(Collection<Finding> findings) {
        List<Finding> merged = new ArrayList<>();
        for (Finding finding : findings) {
            int like = 0;
            while (like < merged.size() && !merged.get(like).isLike(finding)) {
                like++;
            }
            if (like == merged.size()) {
                merged.add(finding);
            } else {
                List<String> where = Stream.concat(merged.get(like).where().stream(), finding.where().stream())
                        .distinct()
                        .toList();
                merged.set(like, finding.at(where));
            }
        }
        return merged;
    }

    /** The names of the checks that failed. */
    public List<String> failed() {
        return failures().map(Finding::check).distinct().toList();
    }

    /** What to change, by check, in one line. */
    public String fixes() {
        Map<String, String> fixes = new LinkedHashMap<>();
        failures().forEach(one -> fixes.putIfAbsent(one.check(), one.fix().isEmpty() ? one.value() : one.fix()));
        return fixes.entrySet().stream()
                .map(fix -> fix.getKey() + " (" + fix.getValue() + ")")
                .collect(Collectors.joining(", "));
    }

    private Stream<Finding> failures() {
        return findings.stream().filter(one -> one.status() == Status.FAIL);
    }

    /** A line for each finding. */
    public String text() {
        return findings.stream().map(Finding::text).collect(Collectors.joining("\n"));
    }
}
