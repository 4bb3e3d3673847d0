package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunOutputTest extends OutputFixture {
    @Test
    void aFreshOutputIsClaimed() throws Exception {
        try (OutputClaim claim = output.claim(PLAN).orElseThrow()) {
            assertThat(claim.attempt()).isEqualTo(1);
            assertThat(claim.resumes()).isFalse();
            assertThat(claim.plan()).isEqualTo(PLAN);
            claim.check();
            PlanFile file = storage.readJson(claim.path("_plan.json"), PlanFile.class);
            assertThat(storage.readString(claim.path("_plan.json")))
                    .isEqualTo(
                            """
                    {
                      "plan_sha256" : "%s",
                      "plan" : {
                        "command" : "generate",
                        "recipe_sha256" : "r1",
                        "inputs" : {
                          "weights" : "w1"
                        },
                        "units" : {
                          "shards" : "4",
                          "threads" : "2"
                        }
                      },
                      "attempt" : 1,
                      "owner" : "%s",
                      "started" : "2025-01-01T12:00:00Z"
                    }
                    """
                                    .formatted(PLAN.sha256(), file.owner()));
            assertThat(storage.list(directory)).containsExactly("_owner.json", "_plan.json");
        }
    }

    @Test
    void aFinishedOutputLeavesNothingToDo() throws Exception {
        try (OutputClaim claim = output.claim(PLAN).orElseThrow()) {
            claim.finish(JobResult.done(PLAN, NOON, 1.5, Map.of("images", 4L), Map.of("fd", 0.5), List.of("slow")));
        }
        assertThat(output.claim(PLAN)).isEmpty();
        assertThat(storage.readString(Storage.child(directory, "result.json")))
                .isEqualTo(
                        """
                {
                  "status" : "done",
                  "command" : "generate",
                  "recipe_sha256" : "r1",
                  "device" : "cpu",
                  "started" : "2025-01-01T12:00:00Z",
                  "seconds" : 1.5,
                  "counts" : {
                    "images" : 4
                  },
                  "metrics" : {
                    "fd" : 0.5
                  },
                  "warnings" : [ "slow" ],
                  "retryable" : false,
                  "exit_code" : 0,
                  "version" : "%s"
                }
                """
                                .formatted(Version.CURRENT));
        assertThat(Version.CURRENT).matches("\\d+\\.\\d+\\.\\d+.*");
    }

    @Test
    void anAbandonedOutputIsTakenOverAtOnce() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        storage.putString(Storage.child(directory, "shard"), "half of the work");
        storage.putString(Storage.child(directory, "._rar-0-shard"), "a dead writer's");
        try (OutputClaim second = output.claim(PLAN).orElseThrow()) {
            assertThat(second.attempt()).isEqualTo(2);
            assertThat(second.resumes()).isTrue();
            assertThat(storage.list(directory)).contains("shard");
            assertThat(temp.resolve("out/._rar-0-shard")).doesNotExist();
        }
    }

    @Test
    void aFailedRunSaysSoAndIsTakenUp() throws Exception {
        try (OutputClaim claim = output.claim(PLAN).orElseThrow()) {
            clock.advance(Duration.ofSeconds(2));
            claim.fail(NOON, new IllegalStateException(new JobException(ExitCode.TEMPORARY, "the store is away")));
        }
        JobResult failed = RunOutput.readResult(storage, directory).orElseThrow();
        assertThat(failed.status()).isEqualTo(JobResult.Status.FAILED);
        assertThat(failed.seconds()).isEqualTo(2);
        assertThat(failed.retryable()).isTrue();
        assertThat(failed.warnings()).containsExactly("the store is away");
        try (OutputClaim second = output.claim(PLAN).orElseThrow()) {
            assertThat(second.attempt()).isEqualTo(2);
            assertThat(RunOutput.readResult(storage, directory)).isEmpty();
            second.fail(NOON, new InterruptedException());
        }
        assertThat(RunOutput.readResult(storage, directory).orElseThrow().status())
                .isEqualTo(JobResult.Status.INTERRUPTED);
    }

    @Test
    void theFailureOfAFencedAttemptIsNotPublished() throws Exception {
        OutputClaim first = output.claim(PLAN).orElseThrow();
        clock.advance(LEASE);
        try (OutputClaim second = seenBy(new SettablePace()).claim(PLAN).orElseThrow()) {
            Throwable failure = new IllegalStateException("too late");
            first.fail(NOON, failure);
            first.close();
            assertThat(failure.getSuppressed()).singleElement().satisfies(e -> assertThat(e)
                    .hasMessageContaining("attempt 2 has taken over"));
            assertThat(RunOutput.readResult(storage, directory)).isEmpty();
            second.check();
        }
    }

    @Test
    void laterAttemptsKeepTheUnitsOfTheFirst() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        Plan elsewhere = Plan.of("generate", "r1", Map.of("weights", "w1"), Map.of("shards", "9", "threads", "64"));
        try (OutputClaim second = output.claim(elsewhere).orElseThrow()) {
            assertThat(second.plan()).isEqualTo(PLAN);
            assertThat(second.plan().unit("shards")).isEqualTo(4);
        }
    }

    /** The units may be what there was too little memory for. */
    @Test
    void otherUnitsMayFollowAnAttemptThatLackedMemoryUnlessAShardHasThem() throws Exception {
        Plan smaller = Plan.of("generate", "r1", Map.of("weights", "w1"), Map.of("shards", "4", "batch", "8"));
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            first.fail(NOON, new JobException(ExitCode.UNAVAILABLE, "out of memory"));
        }
        try (OutputClaim second = output.claim(smaller).orElseThrow()) {
            assertThat(second.plan()).isEqualTo(smaller);
            assertThat(second.attempt()).isEqualTo(2);
            storage.putString(second.path("shard-00000-of-00004.parquet"), "finished");
            second.fail(NOON, new JobException(ExitCode.UNAVAILABLE, "out of memory"));
        }
        try (OutputClaim third = output.claim(PLAN).orElseThrow()) {
            assertThat(third.plan()).isEqualTo(smaller);
            assertThat(storage.list(directory)).contains("shard-00000-of-00004.parquet");
        }
    }

    @Test
    void aLiveOwnerIsLeftAlone() throws Exception {
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            clock.advance(LEASE.minusSeconds(1));
            assertFails(ExitCode.TEMPORARY, () -> output.claim(PLAN))
                    .isEqualTo("Cannot write to " + directory + ": process "
                            + ProcessHandle.current().pid() + " on "
                            + java.net.InetAddress.getLocalHost().getHostName()
                            + " is working on it (attempt 1); run again when it has ended");
            assertThat(notices)
                    .as("no wait for an owner that is known to be alive")
                    .isEmpty();
            first.check();
        }
    }

    @Test
    void aHeartbeatExtendsTheLease() throws Exception {
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            clock.advance(LEASE.minusSeconds(1));
            first.renew();
            clock.advance(LEASE.minusSeconds(1));
            assertThatThrownBy(() -> output.claim(PLAN)).hasMessageContaining("is working on it");
        }
    }

    @Test
    void anOwnerIsFencedAfterItsLease() throws Exception {
        OutputClaim first = output.claim(PLAN).orElseThrow();
        clock.advance(LEASE);
        SettablePace pace = new SettablePace();
        try (OutputClaim second = seenBy(pace).claim(PLAN).orElseThrow()) {
            assertThat(pace.paused()).isEqualTo(LEASE);
            assertThat(second.attempt()).isEqualTo(2);
            assertFails(ExitCode.TEMPORARY, first::check)
                    .isEqualTo(
                            "Attempt 1 stops writing to " + directory + ": attempt 2 has taken over; run again later");
            assertThatThrownBy(() -> first.publish("_manifest.json", out -> out.write(1)))
                    .hasMessageContaining("attempt 2 has taken over");
            assertThatThrownBy(() -> first.finish(JobResult.done(PLAN, NOON, 1, Map.of(), Map.of(), List.of())))
                    .hasMessageContaining("attempt 2 has taken over");
            assertThat(storage.walk(directory))
                    .extracting(StoredFile::name)
                    .containsExactly("_attempts/000002.json", "_owner.json", "_plan.json");
            assertThat(storage.readString(second.path("_plan.json")))
                    .isEqualTo(storage.readString(second.path("_attempts/000002.json")));
            first.renew();
            first.close();
            second.check();
            assertThatThrownBy(() -> seenBy(new SettablePace()).claim(PLAN))
                    .as("the first attempt's end does not end the second")
                    .hasMessageContaining("(attempt 2)");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"garbage", "null", ""})
    void aDamagedResultSaysWhatToDo(String content) throws Exception {
        output.claim(PLAN).orElseThrow().close();
        String path = Storage.child(directory, "result.json");
        storage.putString(path, content);
        assertThatThrownBy(() -> output.claim(PLAN))
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read " + path + ": it is damaged; delete this file and run again, which keeps the"
                        + " finished parts of the output");
    }

    @Test
    void anotherRunsOutputIsRefused() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        refused(Plan.of("fid", "r1", Map.of("weights", "w1"), Map.of()), "the command was generate, not fid");
        refused(Plan.of("generate", "r2", Map.of("weights", "w1"), Map.of()), "the recipe differs");
        refused(Plan.of("generate", "r1", Map.of("weights", "w2"), Map.of()), "the input 'weights' differs");
        refused(Plan.of("generate", "r1", Map.of(), Map.of()), "the inputs differ");
    }

    @Test
    void foreignFilesAreRefusedAndKept() throws Exception {
        Files.createDirectories(temp.resolve("out/photos"));
        Files.writeString(temp.resolve("out/photos/me.jpg"), "mine");
        assertFails(ExitCode.OUTPUT_EXISTS, () -> output.claim(PLAN))
                .isEqualTo("Cannot write to " + directory
                        + ": it is not empty and not an output of rar-spark (no _plan.json); choose another"
                        + " --output or empty it");
        assertThat(temp.resolve("out")).isDirectoryRecursivelyContaining(p -> p.endsWith("me.jpg"));
        assertThat(temp.resolve("out/_plan.json")).doesNotExist();
    }

    @Test
    void aDamagedHeartbeatIsToldWithItsRemedy() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        String path = Storage.child(directory, "_owner.json");
        storage.putString(path, "{\"lease");
        assertFails(ExitCode.DATA, () -> output.claim(PLAN))
                .isEqualTo(
                        "Cannot read " + path + ": it is damaged; if no other driver works on this output, delete the"
                                + " file and run again");
        storage.delete(path);
        output.claim(PLAN).orElseThrow().close();
    }

    @Test
    void aFileIsNoOutput() throws Exception {
        Files.writeString(temp.resolve("out"), "mine");
        assertFails(ExitCode.OUTPUT_EXISTS, () -> output.claim(PLAN))
                .isEqualTo("Cannot write to " + directory + ": it is a file; choose another --output");
        assertThat(temp.resolve("out")).hasContent("mine");
    }

    @Test
    void aDamagedPlanIsBadData() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        String path = Storage.child(directory, "_plan.json");
        for (String damaged : List.of(storage.readString(path).replace("\"w1\"", "\"w2\""), "{\"attempt\": [", "")) {
            storage.putString(path, damaged);
            assertFails(ExitCode.DATA, () -> output.claim(PLAN))
                    .isEqualTo("Cannot read " + path + ": it is damaged; restore it or choose another output");
        }
    }

    private void refused(Plan plan, String why) {
        assertFails(ExitCode.OUTPUT_EXISTS, () -> output.claim(plan))
                .isEqualTo("Cannot write to " + directory + ": it belongs to another run, " + why
                        + "; choose another --output or delete it");
    }
}
