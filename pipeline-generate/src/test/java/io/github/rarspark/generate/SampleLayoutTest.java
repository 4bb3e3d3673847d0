package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.JobDevice;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SampleLayoutTest {
    /** One core's work of a minute. */
    private static final double MINUTE = 60 * 100e9;

    @Test
    void theLastShardHasTheRest() {
        SampleLayout layout = new SampleLayout(28, 12, 4);
        assertThat(layout.shardNames())
                .containsExactly(
                        "shard-00000-of-00003.parquet", "shard-00001-of-00003.parquet", "shard-00002-of-00003.parquet");
        assertThat(IntStream.range(0, 3).map(layout::first)).containsExactly(0, 12, 24);
        assertThat(IntStream.range(0, 3).map(layout::images)).containsExactly(12, 12, 4);
    }

    @Test
    void theBatchIsAUnitOfAPlanOnGpusAlone() {
        SampleLayout layout = new SampleLayout(28, 12, 4);
        assertThat(layout.units(JobDevice.CPU)).containsOnlyKeys("shard_images");
        Map<String, String> onGpu = layout.units(new JobDevice(true, false));
        assertThat(onGpu).isEqualTo(Map.of("shard_images", "12", "batch", "4"));
        SampleLayout now = new SampleLayout(28, 28, 32);
        assertThat(now.with(Plan.of("generate", "r", Map.of(), onGpu))).isEqualTo(layout);
        assertThat(now.with(Plan.of("generate", "r", Map.of(), Map.of("shard_images", "12"))))
                .isEqualTo(new SampleLayout(28, 12, 32));
    }

    @Test
    void aHugeShardIsOne() {
        assertThat(new SampleLayout(50_000, Integer.MAX_VALUE, 4).shards()).isEqualTo(1);
        assertThat(new SampleLayout(Integer.MAX_VALUE, 2, 4).shards()).isEqualTo(1 << 30);
    }

    @Test
    void aShardTakesFiveMinutesOfATask() {
        assertThat(ShardSize.images(50_000, MINUTE, 1, 2, 1)).isEqualTo(5);
        assertThat(ShardSize.images(50_000, MINUTE, 4, 2, 1)).isEqualTo(20);
        assertThat(ShardSize.images(50_000, MINUTE / 10, 1, 2, 1)).isEqualTo(50);
        assertThat(ShardSize.images(50_000, 100 * MINUTE, 1, 2, 1))
                .as("at least one")
                .isEqualTo(1);
        assertThat(ShardSize.images(1_000_000, 1, 1, 2, 1)).as("at most").isEqualTo(5000);
    }

    @Test
    void shardsAreWholeBatches() {
        assertThat(ShardSize.images(50_000, MINUTE / 10, 1, 2, 32)).isEqualTo(64);
        assertThat(ShardSize.images(50_000, MINUTE, 1, 2, 32)).isEqualTo(32);
        assertThat(ShardSize.images(1000, 1, 1, 2, 50)).as("four shards a slot").isEqualTo(150);
        assertThat(ShardSize.images(1000, 1, 1, 0, 50))
                .as("slots are not known")
                .isEqualTo(250);
        assertThat(ShardSize.images(28, 1, 1, 1, Integer.MAX_VALUE)).isEqualTo(28);
    }

    @Test
    void everySlotGetsAShare() {
        assertThat(ShardSize.images(100, 1, 1, 16, 32)).as("less than a batch").isEqualTo(7);
        assertThat(ShardSize.images(3, 1, 1, 16, 32)).isEqualTo(1);
        assertThat(ShardSize.images(Integer.MAX_VALUE, 1, 1, 1, 1)).isEqualTo(5000);
    }
}
