package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingCostTest {
    /** RAR-B has 261 million parameters with the tables of its public files. */
    private static TrainingCost rarB(String key, String value) {
        return TrainingCost.of(rarB().with(Map.of(key, value)));
    }

    private static Recipe rarB() {
        return Recipes.load("rar-b").with(Map.of("train.ranks", "8", "train.threads", "4"));
    }

    @Test
    void memoryIsCountedForTheSamplesOfAPass() {
        TrainingCost small = rarB("train.micro_batch", "2");
        TrainingCost large = rarB("train.micro_batch", "8");
        assertThat(small.stateBytes()).isEqualTo(large.stateBytes()).isBetween(4.1e9, 4.3e9);
        assertThat(large.passBytes()).isEqualTo(4 * small.passBytes());
        double needed = small.bytes(8);
        assertThatCode(() -> small.requireFits(needed)).doesNotThrowAnyException();
        assertThatThrownBy(() -> small.requireFits(0.9 * needed))
                .isInstanceOf(JobException.class)
                .hasMessageMatching("Cannot train: 8 ranks \\(train.ranks\\) need at least .* for 16 samples at a time,"
                        + " but it has .*; lower train.micro_batch or set train.activation_checkpointing=true");
    }

    /** Beside its heap, a process that trained RAR-B in bfloat16 with passes of 8 samples took 7.32 GB for tensors. */
    @Test
    void theMemoryIsALittleLessThanMeasured() {
        TrainingCost eight = rarB("train.micro_batch", "8");
        assertThat(eight.bytes(1) - eight.copyBytes()).isBetween(0.85 * 7.32e9, 7.32e9);
        double two = rarB("train.micro_batch", "2").passBytes();
        Recipe plain = rarB().with(Map.of("train.micro_batch", "2", "model.conditioning", "plain"));
        Recipe withoutDropout = plain.with(Map.of("model.dropout", "0"));
        assertThat(TrainingCost.of(plain).passBytes()).isLessThan(0.85 * two);
        assertThat(TrainingCost.of(withoutDropout).passBytes())
                .isLessThan(0.8 * TrainingCost.of(plain).passBytes());
    }

    @Test
    void activationCheckpointingTakesLessMemoryAndAThirdMoreOperations() {
        Recipe recipe = rarB().with(Map.of("train.micro_batch", "8"));
        TrainingCost kept = TrainingCost.of(recipe);
        TrainingCost recomputed = TrainingCost.of(recipe.with(Map.of("train.activation_checkpointing", "true")));
        assertThat(recomputed.stateBytes()).isEqualTo(kept.stateBytes());
        assertThat(recomputed.passBytes()).isLessThan(kept.passBytes() / 10);
        // The inputs of 24 blocks in float32, whatever the precision.
        assertThat(recomputed.passBytes()).isGreaterThan(8.0 * 258 * 768 * 24 * 4);
        assertThat(recomputed.updateFlops() / kept.updateFlops()).isBetween(1.32, 4 / 3.0);
        assertThatThrownBy(() -> recomputed.requireFits(1e9))
                .isInstanceOf(JobException.class)
                .hasMessageEndingWith("; lower train.micro_batch");
    }

    @Test
    void aTokenStoreThatMemoryCannotHoldIsSaid() {
        TrainingCost cost = rarB("train.micro_batch", "2");
        double needed = cost.bytes(8) - cost.copyBytes();
        long store = 6_600_000_000L;
        assertThat(cost.storeWarning(store, needed + store)).isEmpty();
        assertThat(cost.storeWarning(store, needed + store - 1e9))
                .hasValue(
                        "the token store of 6.6 GB does not fit into the memory that 8 ranks (train.ranks) leave, 5.6 GB:"
                                + " steps may wait for the disk of spark.local.dir");
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

    /** What deploy/sizes.tsv and doctor ask for is never refused. */
    @Test
    void theNeedsOfAnExecutorAreMoreThanTheLeast() {
        for (String model : Recipes.names()) {
            for (String precision : List.of("fp32", "bf16")) {
                for (String checkpointing : List.of("true", "false")) {
                    Recipe recipe = Recipes.load(model)
                            .with(Map.of(
                                    "train.precision",
                                    precision,
                                    "train.activation_checkpointing",
                                    checkpointing,
                                    "train.micro_batch",
                                    "8"));
                    TrainingCost least = TrainingCost.of(recipe);
                    for (boolean gpu : new boolean[] {false, true}) {
                        assertThat(MemoryNeeds.ofExecutor(recipe, Workload.TRAIN, new MemoryNeeds.Load(gpu, 1, 8))
                                        .bytes())
                                .as("%s %s %s", model, precision, checkpointing)
                                .isGreaterThan((long)
                                        least.on(new JobDevice(gpu, false)).bytes(1));
                    }
                }
            }
        }
    }
}
