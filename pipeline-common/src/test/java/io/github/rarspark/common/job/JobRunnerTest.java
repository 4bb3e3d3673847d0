package io.github.rarspark.common.job;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.RecipeHash;
import io.github.rarspark.conf.Recipes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

    /** A job without tasks. */
    private abstract class OneJob implements Job<Integer> {
        @Override
        public boolean computesOnDriver() {
            return true;
        }

        @Override
        public String output() {
            return directory;
        }

        @Override
        public Plan plan() {
            return PLAN;
        }
    }

    /** A job that notes its steps; {@code failure}, if there is one, ends it before the commit. */
    private JobRunner.Factory job(Exception failure) {
        return given -> {
            steps.add("open");
            return new OneJob() {
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
    void thePlanAndTheResultNameTheDevice() throws Exception {
        assertThat(JobRunner.run(context, job(null)).device()).isEqualTo("cpu");
        JobContext onGpu = context.with(context.recipe().with(Map.of("compute.device", "gpu")));
        assertFails(ExitCode.OUTPUT_EXISTS, () -> JobRunner.run(onGpu, job(null)))
                .contains("compute.device is gpu, was cpu");
        directory = temp.resolve("other").toUri().toString();
        assertThat(JobRunner.run(onGpu, job(null)).device()).isEqualTo("gpu");
        assertThat(storage.readString(Storage.child(directory, "_plan.json"))).contains("\"device\" : \"gpu\"");
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
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void aDriverThatLosesItsClaimEndsItsSparkJobs() throws Exception {
        Recipe recipe = Recipe.resolve(new Layer("the test", Map.of("claim.lease_seconds", "10")));
        try (SparkSession session = LocalSpark.start(2)) {
            JobContext given = new JobContext(session, storage, recipe, true);
            long began = System.nanoTime();
            assertThatThrownBy(() -> JobRunner.run(given, LongJob::new))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
                    .hasMessage("Attempt 1 stops writing to " + storage.qualify(directory)
                            + ": attempt 2 has taken over; run again later");
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(LongJob.LENGTH.dividedBy(2));
            Awaitility.await()
                    .atMost(30, TimeUnit.SECONDS)
                    .until(() -> session.sparkContext().statusTracker().getActiveStageIds().length == 0);
            assertThat(storage.exists(Storage.child(directory, JobResult.NAME))).isFalse();
        }
    }

    /** Two tasks that run for a minute; the first lets another driver take over. */
    private final class LongJob implements Job<Integer> {
        static final Duration LENGTH = Duration.ofMinutes(1);

        private final JobContext context;

        LongJob(JobContext context) {
            this.context = context;
        }

        @Override
        public String output() {
            return temp.resolve("out").toString();
        }

        @Override
        public Plan plan() {
            return PLAN;
        }

        @Override
        public Integer runMissing(OutputClaim claim) throws IOException {
            String successor = storage.readString(claim.path("_plan.json"))
                    .replace("\"attempt\" : 1", "\"attempt\" : 2")
                    .replaceAll("\"owner\" : \"[^\"]*\"", "\"owner\" : \"another\"");
            UnitTasks.run(
                    context.session(), List.of(1, 2), takeOver(storage, claim.directory(), successor), done -> {});
            return 2;
        }

        @Override
        public Outcome commit(OutputClaim claim, Integer done) {
            return OUTCOME;
        }
    }

    private static UnitTasks.Work<Integer, Integer> takeOver(Storage storage, String directory, String successor) {
        return unit -> {
            if (unit == 1) {
                storage.putString(Storage.child(directory, "_attempts/000002.json"), successor);
            }
            long end = System.nanoTime() + LongJob.LENGTH.toNanos();
            while (System.nanoTime() < end) {
                UnitTasks.endIfKilled();
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            }
            return unit;
        };
    }

    @Test
    void workOnTheDriverEndsAtTheNextStepAfterTheSessionIsStopped() throws Exception {
        try (SparkSession session = LocalSpark.start(1)) {
            JobContext given = new JobContext(session, storage, context.recipe(), true);
            assertThatThrownBy(() -> JobRunner.run(given, this::workOnTheDriver))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INTERRUPTED));
        }
        assertThat(steps).containsExactly("one");
        assertThat(RunOutput.readResult(storage, directory).orElseThrow().status())
                .isEqualTo(JobResult.Status.INTERRUPTED);
        assertThat(storage.readString(Storage.child(directory, "_owner.json"))).contains("\"lease_seconds\" : 0");
    }

    /** A job whose only work is on the driver and which is interrupted after its first step. */
    private Job<Integer> workOnTheDriver(JobContext given) {
        return new OneJob() {
            @Override
            public Integer runMissing(OutputClaim claim) {
                claim.endIfStopped();
                steps.add("one");
                given.session().stop();
                claim.endIfStopped();
                steps.add("two");
                return 2;
            }

            @Override
            public Outcome commit(OutputClaim claim, Integer done) {
                return OUTCOME;
            }
        };
    }

    @Test
    @Tag("fault")
    void aDeviceWithoutRoomForTheOutputIsRefusedBeforeTheWork() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(temp, 4 << 20)) {
            assertThatThrownBy(() -> JobRunner.run(context, large(disk.path().resolve("out"))))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNAVAILABLE))
                    .hasMessageContaining("it takes 8.4 MB or more, and 4.2 MB are free there");
            assertThat(steps).isEmpty();
            // The second attempt does not know how much of it is there.
            JobRunner.run(context, large(disk.path().resolve("out")));
            assertThat(steps).containsExactly("work");
        }
    }

    private JobRunner.Factory large(Path output) {
        return given -> new OneJob() {
            @Override
            public String output() {
                return output.toString();
            }

            @Override
            public long leastBytes() {
                return 8 << 20;
            }

            @Override
            public Integer runMissing(OutputClaim claim) {
                steps.add("work");
                return 0;
            }

            @Override
            public Outcome commit(OutputClaim claim, Integer done) {
                return OUTCOME;
            }
        };
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
