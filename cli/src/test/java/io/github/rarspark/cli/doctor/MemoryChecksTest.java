package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import io.github.rarspark.cli.doctor.ProcessFacts.Memory;
import io.github.rarspark.common.memory.MemoryNeeds;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MemoryChecksTest {
    private static final long GIBIBYTE = 1L << 30;
    private static final MemoryNeeds NEEDS = new MemoryNeeds(Map.of("weights", 5 * GIBIBYTE));

    private static ProcessFacts process(String name, String host, long limit, long machine) {
        Disk disk = new Disk("/", 1, null);
        return new ProcessFacts(
                name,
                host,
                Map.of(),
                "",
                null,
                "",
                Map.of(),
                1,
                new Memory(2 * GIBIBYTE, limit * GIBIBYTE, machine * GIBIBYTE),
                List.of(),
                disk,
                disk,
                null,
                null,
                Instant.EPOCH,
                null);
    }

    private static List<Finding> check(OptionalLong container, ProcessFacts... processes) {
        return new MemoryChecks(NEEDS, container, "spark.executor.memoryOverhead", "lower train.micro_batch")
                .of(List.of(processes));
    }

    @Test
    void heapAndNeedsFit() {
        assertThat(check(OptionalLong.of(7 * GIBIBYTE), process("executor 1", "a", 8, 8)))
                .containsExactly(
                        Finding.ok("memory", "needed are 2.0 GiB of heap and 5.0 GiB (weights 5.0 GiB) outside of it")
                                .at(List.of("executor 1")));
    }

    @Test
    void anOverheadThatIsTooSmallIsToBeSet() {
        assertThat(check(OptionalLong.of(7 * GIBIBYTE - 1), process("executor 1", "a", 8, 8)))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.status()).isEqualTo(Status.FAIL);
                    assertThat(one.fix()).isEqualTo("set spark.executor.memoryOverhead=5g or lower train.micro_batch");
                });
    }

    @Test
    void theContainersRealLimitCounts() {
        assertThat(check(OptionalLong.of(9 * GIBIBYTE), process("executor 1", "a", 6, 64)))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.status()).isEqualTo(Status.FAIL);
                    assertThat(one.value()).endsWith("and the container has 6.0 GiB");
                    assertThat(one.fix()).startsWith("raise the container's limit");
                });
    }

    @Test
    void executorsOfAMachineShareIt() {
        List<Finding> findings = check(
                OptionalLong.empty(),
                process("executor 1", "a", 16, 16),
                process("executor 2", "a", 16, 16),
                process("executor 3", "a", 16, 16),
                process("executor 4", "b", 16, 16));
        assertThat(findings)
                .filteredOn(one -> one.status() == Status.FAIL)
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.value()).isEqualTo("3 executors on a need 21.0 GiB, and the machine has 16.0 GiB");
                    assertThat(one.where()).containsExactly("executor 1", "executor 2", "executor 3");
                });
    }
}
