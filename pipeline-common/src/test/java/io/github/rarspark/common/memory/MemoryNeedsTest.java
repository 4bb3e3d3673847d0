package io.github.rarspark.common.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.memory.MemoryNeeds.Load;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryNeedsTest {
    private static final double MEBIBYTE = 1 << 20;
    private static final Load ALONE = new Load(false, 1, 1);

    private static Recipe recipe(String name, String... settings) {
        Map<String, String> values = new TreeMap<>();
        Arrays.stream(settings).map(setting -> setting.split("=", 2)).forEach(pair -> values.put(pair[0], pair[1]));
        return Recipes.load(name).with(values);
    }

    /**
     * The largest resident set of processes with a heap of 512 MiB that was touched before, less the heap: of {@code bench}
     * ({@code encode}, {@code decode} and {@code features} with the public networks), which copies no checkpoint and is no
     * executor, and of {@code train} in a local run. Two cores of an AMD EPYC with AVX-512, one thread.
     */
    @ParameterizedTest
    @CsvSource({
        "bench, TRAIN, rar-s, 1, bf16, false, 2713",
        "bench, TRAIN, rar-s, 4, bf16, false, 3286",
        "bench, TRAIN, rar-s, 8, bf16, false, 4182",
        "bench, TRAIN, rar-s, 2, fp32, false, 2915",
        "bench, TRAIN, rar-s, 6, fp32, false, 4564",
        "bench, TRAIN, rar-s, 4, bf16, true, 2562",
        "bench, TRAIN, rar-s, 8, bf16, true, 2836",
        "bench, TRAIN, rar-s, 4, fp32, true, 2608",
        "bench, TRAIN, rar-b, 2, bf16, false, 5402",
        "bench, TRAIN, rar-b, 4, bf16, false, 5766",
        "bench, TRAIN, rar-b, 8, bf16, false, 7206",
        "train, TRAIN, rar-s, 4, bf16, false, 4806",
        "train, TRAIN, rar-s, 4, fp32, true, 3855",
        "bench, TOKENIZE, rar-b, 16, fp32, false, 3728",
        "bench, FID, rar-b, 32, fp32, false, 1597"
    })
    void theyAreNoLessThanMeasuredAndAtMostAQuarterMore(
            String command,
            Workload workload,
            String model,
            int batch,
            String precision,
            boolean recomputes,
            int mebibytes) {
        MemoryNeeds needs = MemoryNeeds.ofExecutor(
                recipe(
                        model,
                        "train.batch=" + batch,
                        "train.precision=" + precision,
                        "train.activation_checkpointing=" + recomputes,
                        "tokenize.batch=" + batch,
                        "fid.batch=" + batch),
                workload,
                ALONE);
        Map<String, Long> parts = new TreeMap<>(needs.parts());
        if (command.equals("bench")) {
            parts.remove("copy for a checkpoint");
        }
        double needed = parts.values().stream().mapToLong(Long::longValue).sum() / MEBIBYTE;
        assertThat(needed).isBetween((double) mebibytes, 1.25 * mebibytes);
    }

    @Test
    void tasksOfAnExecutorShareWeightsAndNothingElse() {
        Recipe recipe = recipe("rar-b");
        long one = MemoryNeeds.ofExecutor(recipe, Workload.TOKENIZE, ALONE).bytes();
        long two = MemoryNeeds.ofExecutor(recipe, Workload.TOKENIZE, new Load(false, 2, 1))
                .bytes();
        long three = MemoryNeeds.ofExecutor(recipe, Workload.TOKENIZE, new Load(false, 3, 1))
                .bytes();
        assertThat(three - two).isEqualTo(two - one).isLessThan(one);
        long rank = MemoryNeeds.ofExecutor(recipe, Workload.TRAIN, ALONE).bytes();
        assertThat(MemoryNeeds.ofExecutor(recipe, Workload.TRAIN, new Load(false, 2, 1))
                        .bytes())
                .as("ranks share only what rank 0 copies, and the process")
                .isGreaterThan((long) (1.5 * rank))
                .isLessThan(2 * rank);
    }

    /** What docs/operations.md says of RAR-B at 32 images with guidance. */
    @Test
    void keysAndValuesOfATaskOfRarBTakeTwoAndAHalfGigabytes() {
        MemoryNeeds needs = MemoryNeeds.ofExecutor(recipe("rar-b"), Workload.GENERATE, ALONE);
        assertThat(needs.parts().get("keys and values of 1 tasks")).isBetween(2_400_000_000L, 2_700_000_000L);
        Recipe half = recipe("rar-b", "generate.precision=bf16");
        assertThat(MemoryNeeds.ofExecutor(half, Workload.GENERATE, ALONE).bytes())
                .isLessThan(needs.bytes() - 1_500_000_000L);
    }

    @Test
    void ofAGpusHostTheCheckpointIsTheLargestPart() {
        MemoryNeeds needs = MemoryNeeds.ofExecutor(recipe("rar-xxl"), Workload.TRAIN, new Load(true, 1, 8));
        assertThat(needs.parts()).containsOnlyKeys("copy for a checkpoint", "JVM and libtorch");
        assertThat(needs.parts().get("copy for a checkpoint")).isBetween(17_000_000_000L, 19_000_000_000L);
    }

    @Test
    void theDriverOfFidHoldsTheFeatures() {
        long train = MemoryNeeds.ofDriver(recipe("rar-b"), Workload.TRAIN).bytes();
        long fid = MemoryNeeds.ofDriver(recipe("rar-b"), Workload.FID).bytes();
        assertThat(fid - train).isGreaterThan(2 * 50_000L * 2048 * 4);
        Recipe few = recipe("rar-b", "generate.count=1000");
        assertThat(MemoryNeeds.ofDriver(few, Workload.FID).bytes()).isLessThan(fid);
    }

    @Test
    void theSamplesOfASharePassAtOnceUnlessAMicroBatchIsGiven() {
        Recipe all = recipe("demo", "train.ranks=2");
        Recipe some = all.with(Map.of("train.micro_batch", "4"));
        assertThat(MemoryNeeds.ofExecutor(some, Workload.TRAIN, ALONE).bytes())
                .isLessThan(MemoryNeeds.ofExecutor(all, Workload.TRAIN, ALONE).bytes());
    }

    @Test
    void theOutputHoldsAtLeastTheArchiveOrACheckpointAndTheWeights() {
        assertThat(MemoryNeeds.outputBytes(recipe("rar-b"), Workload.GENERATE)).isEqualTo(50_000L * 256 * 256 * 3);
        assertThat(MemoryNeeds.outputBytes(recipe("rar-b", "generate.samples_per_class=1"), Workload.GENERATE))
                .isEqualTo(1000L * 256 * 256 * 3);
        long weights = MemoryNeeds.largestFile(recipe("rar-b"), Workload.GENERATE);
        assertThat(MemoryNeeds.outputBytes(recipe("rar-b", "train.ema_decay=0"), Workload.TRAIN))
                .isEqualTo(4 * weights);
        assertThat(MemoryNeeds.outputBytes(recipe("rar-b", "train.ema_decay=0.9"), Workload.TRAIN))
                .isEqualTo(6 * weights);
    }
}
