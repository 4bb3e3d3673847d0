package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import io.github.rarspark.cli.doctor.RankFacts.Collective;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankChecksTest {
    private static final Probed<Collective> SUM = new Probed<>(new Collective("gloo", null, 1e9), null);

    @Test
    void ranksThatReachEachOtherAreCounted() {
        List<Finding> findings = RankChecks.of(
                List.of(new RankFacts(0, "1", List.of(), SUM), new RankFacts(1, "2", List.of(), SUM)), true);
        assertThat(findings)
                .extracting(Finding::text)
                .containsExactly(
                        "OK    ranks: 2 start together, executors: 2",
                        "OK    ports: connections between ranks: 1, to the driver: 2",
                        "OK    all-reduce: gloo, 1.00 GB/s");
    }

    @Test
    void aPortThatIsClosedIsNamed() {
        List<Finding> findings = RankChecks.of(
                List.of(
                        new RankFacts(0, "1", List.of("cannot reach rank 1 at b:41: connect timed out"), null),
                        new RankFacts(1, "2", List.of(), null)),
                false);
        assertThat(findings)
                .filteredOn(one -> one.status() == Status.FAIL)
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.value()).isEqualTo("rank 0 cannot reach rank 1 at b:41: connect timed out");
                    assertThat(one.fix()).contains("all TCP ports");
                    assertThat(one.where()).containsExactly("executor 1");
                });
    }

    @Test
    void ranksOnGpusNeedProcessesOfTheirOwn() {
        List<RankFacts> together =
                List.of(new RankFacts(0, "1", List.of(), SUM), new RankFacts(1, "1", List.of(), SUM));
        assertThat(RankChecks.of(together, true).get(0).status()).isEqualTo(Status.FAIL);
        assertThat(RankChecks.of(together, false).get(0).status()).isEqualTo(Status.OK);
    }

    @Test
    void anAllReduceThatFailsOrIsSlowIsSaid() {
        RankFacts slow = new RankFacts(0, "1", List.of(), new Probed<>(new Collective("gloo", "no NCCL", 1e9), null));
        RankFacts failed = new RankFacts(1, "2", List.of(), new Probed<>(null, "timed out"));
        assertThat(RankChecks.of(List.of(slow, failed), true))
                .filteredOn(one -> one.check().equals("all-reduce"))
                .extracting(Finding::status, Finding::value)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(Status.WARN, "no NCCL"),
                        org.assertj.core.groups.Tuple.tuple(Status.FAIL, "timed out"));
    }
}
