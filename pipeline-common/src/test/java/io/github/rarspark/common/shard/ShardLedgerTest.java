package io.github.rarspark.common.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.LocalSpark;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.JobExecutionStatus;
import org.apache.spark.SparkStatusTracker;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ShardLedgerTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    @Test
    void aLedgerCountsWhatAnEarlierAttemptFinished() throws Exception {
        String directory = temp.resolve("out").toUri().toString();
        Plan plan = Plan.of("test", "r", Map.of(), Map.of("shards", "3"));
        List<String> names = List.of("part-2", "part-0", "part-1");
        RunOutput output = Claims.output(storage, directory);
        try (OutputClaim first = output.claim(plan).orElseThrow()) {
            assertThat(ShardLedger.open(SPARK.session(), first, names).missing())
                    .containsExactlyElementsOf(names);
            write(first.path("part-1"), plan.sha256());
            write(first.path("part-2"), "another plan");
        }
        try (OutputClaim second = output.claim(plan).orElseThrow()) {
            ShardLedger ledger = ShardLedger.open(SPARK.session(), second, names);
            assertThat(ledger.finished()).extracting(ShardReceipt::name).containsExactly("part-1");
            assertThat(ledger.missing()).containsExactly("part-2", "part-0");
            assertThatThrownBy(ledger::complete).hasMessage("2 of 3 shards are missing, the first is part-2");
            for (String name : ledger.missing()) {
                ledger.add(write(second.path(name), plan.sha256()));
            }
            assertThat(ledger.complete()).extracting(ShardReceipt::name).containsExactly("part-0", "part-1", "part-2");
            assertThatThrownBy(() -> ledger.add(new ShardReceipt("part-3", 1, 1, "")))
                    .hasMessage("The plan has no shard part-3");
        }
    }

    @Test
    void shardsAreReadInTasks() throws Exception {
        String directory = temp.toUri().toString();
        List<String> names = List.of("part-0", "part-1", "part-2");
        for (String name : names) {
            write(Storage.child(directory, name), "plan");
        }
        assertThat(ShardLedger.open(SPARK.session(), storage, directory, "plan", names)
                        .complete())
                .hasSize(3);
        SparkStatusTracker jobs = SPARK.session().sparkContext().statusTracker();
        String group = "check 3 shards in " + directory;
        Awaitility.await().until(() -> jobs.getJobIdsForGroup(group).length > 0);
        int[] found = jobs.getJobIdsForGroup(group);
        assertThat(found).hasSize(1);
        Awaitility.await().until(() -> jobs.getJobInfo(found[0]).get().status() == JobExecutionStatus.SUCCEEDED);
        int stage = jobs.getJobInfo(found[0]).get().stageIds()[0];
        assertThat(jobs.getStageInfo(stage).get().numCompletedTasks()).isEqualTo(3);
    }

    /** With a scan of the names for each shard this would take minutes. */
    @Test
    @Timeout(20)
    void manyShardsTakeTimeInProportion() throws Exception {
        List<String> names = IntStream.range(0, 400_000)
                .mapToObj(i -> "shard-of-a-long-name-" + i)
                .toList();
        ShardLedger ledger = ShardLedger.open(
                SPARK.session(), storage, temp.resolve("none").toUri().toString(), "plan", names);
        for (String name : names) {
            ledger.add(new ShardReceipt(name, 1, 1, ""));
        }
        assertThat(ledger.missing()).isEmpty();
        assertThat(ledger.complete()).hasSize(names.size());
    }

    private ShardReceipt write(String path, String plan) throws Exception {
        return ParquetShard.write(storage, path, ParquetShardTest.TYPE, plan, ParquetShardTest.rows(10));
    }
}
