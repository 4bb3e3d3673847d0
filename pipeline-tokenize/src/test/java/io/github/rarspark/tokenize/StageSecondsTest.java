package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.github.rarspark.common.images.PreparationSeconds;
import org.junit.jupiter.api.Test;

class StageSecondsTest {
    @Test
    void ratesAreThoseOfOneThread() {
        StageSeconds task = StageSeconds.of(100, new PreparationSeconds(0, 2, 5, 1, 3), 2, 4, 10);
        assertThat(task.plus(task).metrics())
                .containsOnly(
                        entry("read_images_per_second", 50.0),
                        entry("decode_images_per_second", 20.0),
                        entry("scale_images_per_second", 100.0),
                        entry("encode_images_per_second", 25.0),
                        entry("write_images_per_second", 100 / 3.0),
                        entry("encoding_waited", 0.3));
        assertThat(StageSeconds.NONE.metrics()).isEmpty();
        assertThat(StageSeconds.of(3, new PreparationSeconds(0, 1, 1, 0, 2), 1, 0, 2)
                        .metrics())
                .as("of bad images")
                .doesNotContainKeys("scale_images_per_second", "encode_images_per_second");
    }

    @Test
    void theBottleneckIsTheSideWithTheLeastIdleTime() {
        assertThat(line(new PreparationSeconds(0, 1, 2, 1, 0.4), 9, false))
                .isEqualTo(
                        "encoding limited the speed: encoding waited 4 % of the time for images; to go faster, use more"
                                + " cores: executors, or spark.executor.cores");
        assertThat(line(new PreparationSeconds(0, 1, 2, 1, 0.4), 9, true))
                .endsWith("to go faster, use more GPUs, or raise tokenize.batch");
        assertThat(line(new PreparationSeconds(0, 4, 11, 4, 7), 2, true))
                .isEqualTo(
                        "decoding limited the speed: encoding waited 70 % of the time for images; to go faster, raise the"
                                + " cores of a task (spark.task.cpus, or spark.executor.cores for each GPU) and"
                                + " tokenize.decode_threads");
        assertThat(line(new PreparationSeconds(0, 14, 3, 2, 7), 2, true))
                .startsWith("reading limited the speed: ")
                .endsWith("raise tokenize.decode_threads");
        assertThat(line(new PreparationSeconds(9, 0, 3, 2, 7), 2, true))
                .startsWith("reading limited the speed: ")
                .endsWith("run more tasks at a time (spark.executor.cores, or more executors)");
    }

    /** Of a task of ten seconds with two threads in its pool. */
    private static String line(PreparationSeconds pool, double encoding, boolean gpu) {
        return StageSeconds.of(100, pool, 2, encoding, 10).bottleneck(gpu);
    }
}
