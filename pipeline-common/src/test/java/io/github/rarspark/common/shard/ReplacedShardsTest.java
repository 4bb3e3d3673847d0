package io.github.rarspark.common.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.S3Server;
import io.github.rarspark.conf.ClaimSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ReplacedShardsTest {
    private static final Plan PLAN = Plan.of("test", "r", Map.of(), Map.of("shards", "3"));

    private static SparkSession session;
    private static S3Server server;

    @TempDir
    Path temp;

    @BeforeAll
    static void start() throws Exception {
        session = LocalSpark.start(2);
        server = S3Server.start().withBucket();
    }

    @AfterAll
    static void stop() throws Exception {
        session.close();
        server.close();
    }

    @Test
    void aShardThatALateTaskReplacedEndsTheAttempt() throws Exception {
        Storage storage = new Storage(server.configuration());
        try (OutputClaim claim = claim(storage, S3Server.uri("out"))) {
            List<ShardReceipt> receipts = shards(claim);
            ReplacedShards.requireNone(session, claim, receipts);
            // A late task's put that completes after another task looked.
            ParquetShard.write(storage, claim.path("late"), ParquetShardTest.TYPE, "plan", ParquetShardTest.rows(11));
            storage.putBytes(claim.path("part-1"), storage.readBytes(claim.path("late")));
            storage.delete(claim.path("part-2"));
            assertThatThrownBy(() -> ReplacedShards.requireNone(session, claim, receipts))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
                    .hasMessage("Cannot publish s3a://bucket/out: 2 of 3 shards were replaced by a late task, the first"
                            + " is part-1; run again");
        }
    }

    @Test
    void shardsThatNoTaskCanReplaceAreNotReadAgain() throws Exception {
        try (OutputClaim claim =
                claim(new Storage(new Configuration()), temp.resolve("out").toString())) {
            List<ShardReceipt> receipts = shards(claim);
            ReplacedShards.requireNone(null, claim, receipts);
        }
    }

    private static OutputClaim claim(Storage storage, String directory) throws Exception {
        return new RunOutput(storage, directory, new ClaimSettings(60, 120), line -> {})
                .claim(PLAN)
                .orElseThrow();
    }

    private static List<ShardReceipt> shards(OutputClaim claim) throws Exception {
        List<ShardReceipt> receipts = new ArrayList<>();
        for (String name : List.of("part-0", "part-1", "part-2")) {
            receipts.add(ParquetShard.write(
                    claim.storage(), claim.path(name), ParquetShardTest.TYPE, "plan", ParquetShardTest.rows(10)));
        }
        return receipts;
    }
}
