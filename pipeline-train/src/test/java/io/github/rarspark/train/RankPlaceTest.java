package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.rarspark.common.ExitCode;
import java.util.List;
import org.junit.jupiter.api.Test;

class RankPlaceTest {
    @Test
    void ranksReadWhatTheOthersTell() {
        RankPlace first = new RankPlace("10.0.0.1:4000", "3", "GPU-6f1f");
        RankPlace second = new RankPlace("", "4", "");
        assertThat(RankPlace.read(new String[] {first.text(), second.text()})).containsExactly(first, second);
    }

    @Test
    void ranksThatShareAProcessOrAGpuAreRefused() {
        assertThatCode(() -> RankPlace.requireApart(List.of(
                        new RankPlace("a:1", "0", "GPU-1"),
                        new RankPlace("", "1", "GPU-2"),
                        new RankPlace("", "2", ""))))
                .doesNotThrowAnyException();
        assertFails(
                        ExitCode.UNAVAILABLE,
                        () -> RankPlace.requireApart(List.of(
                                new RankPlace("a:1", "0", ""), new RankPlace("", "1", ""), new RankPlace("", "1", ""))))
                .contains("ranks 1 and 2", "executor 1", "spark.executor.resource.gpu.amount=1");
        assertFails(
                        ExitCode.UNAVAILABLE,
                        () -> RankPlace.requireApart(
                                List.of(new RankPlace("a:1", "0", "GPU-1"), new RankPlace("", "1", "GPU-1"))))
                .contains("ranks 0 and 1", "GPU-1", "spark.task.resource.gpu.amount");
    }
}
