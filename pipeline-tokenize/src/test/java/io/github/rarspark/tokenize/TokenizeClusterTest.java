package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(240)
class TokenizeClusterTest {
    @TempDir
    Path temp;

    @Test
    void executorsOfTheirOwnWriteTheBytesOfOneProcess() throws Exception {
        TokenizeFixture fixture = new TokenizeFixture(temp);
        Path local = temp.resolve("local");
        try (SparkSession session = LocalSpark.start(1)) {
            TokenizeJob.run(JobContext.of(session, fixture.recipe("tokenize.output", local.toString()), true));
        }
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            TokenizeJob.run(JobContext.of(session, fixture.recipe(), true));
        }
        assertThat(fixture.shards(fixture.output)).hasSize(4).isEqualTo(fixture.shards(local));
    }
}
