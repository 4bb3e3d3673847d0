package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.Recipes;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingCostTest {
    /** RAR-B has 261 million parameters with the tables of its public files. */
    private static TrainingCost rarB(String... keysAndValues) {
        return TrainingCost.of(Recipes.load("rar-b")
                .with(Map.of("train.ranks", "8", "train.threads", "4"))
                .with(keysAndValues.length == 0 ? Map.of() : Map.of(keysAndValues[0], keysAndValues[1])));
    }

    @Test
    void memoryIsCountedForTheSamplesOfAPass() {
        TrainingCost small = rarB("train.micro_batch", "2");
        TrainingCost large = rarB("train.micro_batch", "8");
        assertThat(small.stateBytes()).isEqualTo(large.stateBytes()).isBetween(4.1e9, 4.3e9);
        assertThat(large.passBytes()).isEqualTo(4 * small.passBytes());
        double needed = 8 * (small.stateBytes() + small.passBytes());
        assertThatCode(() -> small.requireFits(needed)).doesNotThrowAnyException();
        assertThatThrownBy(() -> small.requireFits(0.9 * needed))
                .isInstanceOf(JobException.class)
                .hasMessageMatching("Cannot train: 8 ranks \\(train.ranks\\) need at least .* for 16 samples at a time,"
                        + " but it has .*; lower train.micro_batch");
    }

    @Test
    void anUpdateThatTakesHoursIsSaid() {
        assertThat(rarB("train.batch", "1000000").warnings())
                .singleElement()
                .asString()
                .startsWith("an update of 1000000 samples (train.batch) takes at least about ")
                .endsWith("lower train.batch or use more ranks");
        assertThat(rarB("train.batch", "512").warnings()).isEmpty();
    }
}
