package io.github.rarspark.common.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.RecipeHash;
import io.github.rarspark.conf.Recipes;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobRunnerTest {
    private static final Plan PLAN = Plan.of("generate", "r1", Map.of("weights", "w1"), Map.of("shards", "4"));
    private static final Outcome OUTCOME = Outcome.of(Map.of("images", 4L), Map.of("fd", 0.5), List.of("odd data"))
            .withRate("images_per_second", 8);

    private final Storage storage = new Storage(new Configuration());
    private final List<String> steps = new ArrayList<>();
    private JobContext context;
    private String directory;

    @TempDir
    Path temp;

    @BeforeEach
    void open() {
        context = new JobContext(null, storage, Recipes.load("demo"), true);
        directory = temp.resolve("out").toUri().toString();
    }

    /** A job that notes its steps; {@code failure}, if there is one, ends it before the commit. */
    private JobRunner.Factory job(Exception failure) {
        return given -> {
            steps.add("open");
            return new Job<Integer>() {
                @Override
                public String output() {
                    return temp.resolve("out").toString();
                }

                @Override
                public Plan plan() {
                    return PLAN;
                }

                @Override
                public Integer runMissing(OutputClaim claim) {
                    steps.add("run attempt " + claim.attempt());
                    return 4;
                }

                @Override
                public Outcome commit(OutputClaim claim, Integer done) {
                    steps.add("commit " + done + " in " + claim.directory());
                    if (failure != null) {
                        sneak(failure);
                    }
                    return OUTCOME;
                }
            };
        };
    }

    @Test
    void stepsFollowEachOtherAndTheResultIsStampedAndWritten() throws Exception {
        Instant before = Instant.now();
        JobResult result = JobRunner.run(context, job(null));
        String qualified = storage.qualify(directory);
        assertThat(steps).containsExactly("open", "run attempt 1", "commit 4 in " + qualified);
        assertThat(RunOutput.readResult(storage, directory)).contains(result);
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.command()).isEqualTo("generate");
        assertThat(result.recipeSha256()).isEqualTo("r1");
        assertThat(result.started()).isBetween(before, Instant.now());
        assertThat(result.version()).isEqualTo(Version.CURRENT);
        assertThat(result.counts()).containsOnly(Map.entry("images", 4L));
        assertThat(result.metrics())
                .containsOnlyKeys("fd", "images_per_second")
                .containsEntry("fd", 0.5)
                .containsEntry("images_per_second", 8 / result.seconds());
        assertThat(result.warnings()).containsExactly("odd data");
    }

    @Test
    void workIsDoneOnceAndFailuresAreRecordedWhateverTheirType() throws Exception {
        Exception undeclared = new Exception("from Scala");
        assertThatThrownBy(() -> JobRunner.run(context, job(undeclared))).isSameAs(undeclared);
        JobResult failed = RunOutput.readResult(storage, directory).orElseThrow();
        assertThat(failed.status()).isEqualTo(JobResult.Status.FAILED);
        assertThat(failed.warnings()).singleElement().asString().contains("from Scala");

        JobResult done = JobRunner.run(context, job(null));
        assertThat(done.status()).isEqualTo(JobResult.Status.DONE);
        steps.clear();
        assertThat(JobRunner.run(context, job(undeclared))).isEqualTo(done);
        assertThat(steps).containsExactly("open");
    }

    @Test
    void aCheckLeavesNoResult() throws Exception {
        JobResult result =
                JobRunner.check("tokenize --check", context.recipe().resultSettings("tokenize"), () -> OUTCOME);
        assertThat(result.command()).isEqualTo("tokenize --check");
        assertThat(result.recipeSha256())
                .isEqualTo(RecipeHash.of(context.recipe().resultSettings("tokenize")));
        assertThat(result.counts()).containsEntry("images", 4L);
        assertThat(storage.exists(directory)).isFalse();
    }

    @Test
    void ratesAreByTheSecondOfTheWholeJob() {
        Instant noon = Instant.parse("2025-01-01T12:00:00Z");
        JobResult result = OUTCOME.result(PLAN, noon, noon.plusSeconds(16));
        assertThat(result.seconds()).isEqualTo(16);
        assertThat(result.metrics()).containsEntry("images_per_second", 0.5);
    }

    /** Throws a checked exception that the compiler does not know of, as Scala's methods do. */
    @SuppressWarnings("unchecked")
    private static <E extends Exception> void sneak(Exception exception) throws E {
        throw (E) exception;
    }
}
