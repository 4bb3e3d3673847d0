package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;
import static io.github.rarspark.cli.doctor.Finding.warn;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Judges what the ranks found out. */
final class RankChecks {
    private static final String OPEN =
            "let all TCP ports pass between the executors and from them to the driver, which c10d and the coordinator choose"
                    + " (docs/security.md)";

    private RankChecks() {}

    /** @param onGpus whether each rank needs a process of its own */
    static List<Finding> of(List<RankFacts> ranks, boolean onGpus) {
        List<Finding> findings = new ArrayList<>();
        long executors = ranks.stream().map(RankFacts::executor).distinct().count();
        findings.add(
                onGpus && executors < ranks.size()
                        ? fail(
                                "ranks",
                                ranks.size() + " on " + executors + " executors, and each needs a process of its own",
                                "set spark.executor.resource.gpu.amount=1")
                        : ok("ranks", ranks.size() + " start together, executors: " + executors));
        List<Finding> unreached = ranks.stream()
                .flatMap(rank -> rank.unreached().stream()
                        .map(what -> fail("ports", "rank " + rank.rank() + " " + what, OPEN)
                                .at(List.of("executor " + rank.executor()))))
                .toList();
        if (!unreached.isEmpty()) {
            findings.addAll(unreached);
            return findings;
        }
        int pairs = ranks.size() * (ranks.size() - 1) / 2;
        findings.add(ok("ports", "connections between ranks: " + pairs + ", to the driver: " + ranks.size()));
        findings.addAll(collectives(ranks));
        return findings;
    }

    private static List<Finding> collectives(List<RankFacts> ranks) {
        List<Finding> findings = new ArrayList<>();
        for (RankFacts rank : ranks) {
            if (rank.collective() == null) {
                continue; // Another rank could not compute.
            }
            if (rank.collective().failed()) {
                findings.add(fail("all-reduce", rank.collective().error(), "see the executor's log")
                        .at(List.of("executor " + rank.executor())));
            } else if (rank.collective().value().warning() != null) {
                findings.add(warn("all-reduce", rank.collective().value().warning(), "")
                        .at(List.of("executor " + rank.executor())));
            }
        }
        if (findings.stream().noneMatch(one -> one.status() == Finding.Status.FAIL)) {
            RankFacts.Collective first = ranks.get(0).collective().value();
            findings.add(ok(
                    "all-reduce",
                    String.format(Locale.ROOT, "%s, %.2f GB/s", first.backend(), first.bytesPerSecond() / 1e9)));
        }
        return findings;
    }
}
