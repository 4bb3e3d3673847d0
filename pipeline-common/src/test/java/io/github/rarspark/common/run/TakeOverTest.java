package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.conf.ClaimSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** When an attempt takes over from another, and what the other does then. */
class TakeOverTest extends OutputFixture {
    @Test
    void anOwnerWhoseProcessHasEndedIsDeadWithinItsLease() throws Exception {
        Process gone = new ProcessBuilder("true").start();
        assertThat(gone.waitFor(30, TimeUnit.SECONDS)).isTrue();
        DriverProcess here = DriverProcess.current();
        leave(new DriverProcess(here.host(), gone.pid(), here.bootId(), here.pidNamespace(), here.startTicks()));
        takesOverAfter(Duration.ZERO);
        assertThat(notices).isEmpty();
    }

    @Test
    void anOwnerWhosePidIsUsedAgainIsDead() throws Exception {
        DriverProcess here = DriverProcess.current();
        leave(new DriverProcess(here.host(), here.pid(), here.bootId(), here.pidNamespace(), here.startTicks() - 1));
        takesOverAfter(Duration.ZERO);
    }

    static Stream<Arguments> elsewhere() {
        DriverProcess here = DriverProcess.current();
        long none = Integer.MAX_VALUE;
        return Stream.of(
                Arguments.of("a host", new DriverProcess("elsewhere", none, "", "", -1)),
                Arguments.of("a container", new DriverProcess(here.host(), none, here.bootId(), "pid:[1]", 1)),
                Arguments.of("a boot", new DriverProcess(here.host(), none, "b", here.pidNamespace(), 1)),
                Arguments.of("an old file", new DriverProcess(here.host(), none, null, null, 0)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("elsewhere")
    void aSilentOwnerElsewhereIsWaitedForDuringOneLease(String where, DriverProcess process) throws Exception {
        leave(process);
        takesOverAfter(LEASE);
        assertThat(notices)
                .containsExactly("waiting up to 60 s for a heartbeat of process " + process.pid() + " on "
                        + process.host() + ", which may still work on " + directory + " (attempt 1)");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("elsewhere")
    void anOwnerElsewhereThatWritesAHeartbeatIsAlive(String where, DriverProcess process) throws Exception {
        Owner owner = leave(process);
        clock.advance(Duration.ofDays(-365));
        SettablePace pace = new SettablePace();
        pace.at(Duration.ofSeconds(20), () -> storage.putJson(ownerPath(), owner.renewedAt(owner.renewed())));
        assertFails(ExitCode.TEMPORARY, () -> seenBy(pace).claim(PLAN))
                .isEqualTo("Cannot write to " + directory + ": process " + process.pid() + " on " + process.host()
                        + " is working on it (attempt 1); run again when it has ended");
        assertThat(pace.paused()).isLessThan(Duration.ofSeconds(21));
    }

    @Test
    void theClockOfAnotherMachineDoesNotMatter() throws Exception {
        leave(new DriverProcess("elsewhere", 1, "", "", -1));
        clock.advance(Duration.ofDays(365));
        takesOverAfter(LEASE);
    }

    @Test
    void anOutputReleasedDuringTheWaitIsTakenOverAtOnce() throws Exception {
        Owner owner = leave(new DriverProcess("elsewhere", 1, "", "", -1));
        SettablePace pace = new SettablePace();
        pace.at(Duration.ofSeconds(10), () -> storage.putJson(ownerPath(), owner.released()));
        try (OutputClaim second = seenBy(pace).claim(PLAN).orElseThrow()) {
            assertThat(second.attempt()).isEqualTo(2);
        }
        assertThat(pace.paused()).isLessThan(Duration.ofSeconds(11));
    }

    @Test
    void anOutputFinishedDuringTheWaitLeavesNothingToDo() throws Exception {
        Owner owner = leave(new DriverProcess("elsewhere", 1, "", "", -1));
        SettablePace pace = new SettablePace();
        pace.at(Duration.ofSeconds(10), () -> {
            storage.putJson(
                    Storage.child(directory, "result.json"),
                    JobResult.done(PLAN, NOON, 1, Map.of(), Map.of(), List.of()));
            storage.putJson(ownerPath(), owner.released());
        });
        assertThat(seenBy(pace).claim(PLAN)).isEmpty();
    }

    @Test
    void aLeaseLongerThanTheWaitEndsAtOnce() throws Exception {
        leave(new DriverProcess("elsewhere", 1, "", "", -1));
        SettablePace pace = new SettablePace();
        RunOutput impatient = new RunOutput(storage, directory, new ClaimSettings(60, 59), notices::add, clock, pace);
        assertFails(ExitCode.TEMPORARY, () -> impatient.claim(PLAN))
                .isEqualTo("Cannot write to " + directory
                        + ": process 1 on elsewhere is working on it (attempt 1); its lease of"
                        + " 60 s is longer than claim.wait_seconds=59; run again when it has ended, or raise that");
        assertThat(pace.paused()).isZero();
        assertThat(notices).isEmpty();
    }

    @Test
    void anAttemptWithoutHeartbeatIsWaitedForDuringOneLease() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        storage.delete(ownerPath());
        takesOverAfter(LEASE);
        assertThat(notices).singleElement().asString().contains("a heartbeat of a driver that has just started");
    }

    @Test
    void aDriverThatTakesOverDuringTheWaitWins() throws Exception {
        leave(new DriverProcess("elsewhere", 1, "", "", -1));
        SettablePace pace = new SettablePace();
        AtomicReference<OutputClaim> other = new AtomicReference<>();
        pace.at(
                Duration.ofSeconds(10),
                () -> other.set(seenBy(new SettablePace()).claim(PLAN).orElseThrow()));
        assertThatThrownBy(() -> seenBy(pace).claim(PLAN)).hasMessageContaining("is working on it (attempt 2)");
        other.get().check();
        other.get().close();
    }

    /** A driver that is slow to begin may have been replaced meanwhile. */
    @Test
    void whatALaterAttemptHasBegunToWriteStays() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        Path folder = temp.resolve("out");
        Files.createFile(folder.resolve("._rar-1"));
        AtomicInteger looks = new AtomicInteger();
        Storage slow = new Storage(FaultyFiles.with(path -> {
            // The first look is part of becoming the attempt, the others of beginning it.
            if (path.getName().equals("000002.json") && looks.incrementAndGet() == 2) {
                Files.createFile(folder.resolve("._rar-3"));
            }
        }));
        new RunOutput(slow, directory, CLAIM, notices::add, clock, new SettablePace())
                .claim(PLAN)
                .orElseThrow()
                .close();
        assertThat(folder.resolve("._rar-1")).doesNotExist();
        assertThat(folder.resolve("._rar-3")).exists();
    }

    /** An output whose driver was this process and has neither finished nor released it. */
    private Owner leave(DriverProcess process) throws IOException {
        output.claim(PLAN).orElseThrow().close();
        Owner released = storage.readJson(ownerPath(), Owner.class);
        Owner owner = new Owner(
                released.id(),
                process.host(),
                process.pid(),
                process.bootId(),
                process.pidNamespace(),
                process.startTicks(),
                NOON,
                3,
                LEASE.toSeconds());
        storage.putJson(ownerPath(), owner);
        return owner;
    }

    private void takesOverAfter(Duration wait) throws IOException {
        SettablePace pace = new SettablePace();
        try (OutputClaim second = seenBy(pace).claim(PLAN).orElseThrow()) {
            assertThat(second.attempt()).isEqualTo(2);
        }
        assertThat(pace.paused()).isEqualTo(wait);
    }

    private String ownerPath() {
        return Storage.child(directory, "_owner.json");
    }

    @Test
    void heartbeatsAreWrittenInTheBackground() throws Exception {
        // A lease that does not pass.
        RunOutput brief =
                new RunOutput(storage, directory, new ClaimSettings(1, 1), notices::add, clock, new SettablePace());
        try (OutputClaim claim = brief.claim(PLAN).orElseThrow()) {
            clock.advance(Duration.ofSeconds(100));
            Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> {
                Owner owner = storage.readJson(claim.path("_owner.json"), Owner.class);
                return owner.renewed().equals(NOON.plusSeconds(100)) && owner.heartbeats() > 1;
            });
        }
    }

    @Test
    void aClaimThatIsLostEndsTheWork() throws Exception {
        // A lease that does not pass.
        RunOutput brief =
                new RunOutput(storage, directory, new ClaimSettings(1, 1), notices::add, clock, new SettablePace());
        CountDownLatch cancelled = new CountDownLatch(1);
        try (OutputClaim first = brief.claim(PLAN).orElseThrow()) {
            first.whenLost(cancelled::countDown);
            assertThat(first.lost(new IOException())).isEmpty();
            PlanFile file = storage.readJson(first.path("_plan.json"), PlanFile.class);
            storage.putJson(
                    first.path("_attempts/000002.json"),
                    new PlanFile(file.planSha256(), file.plan(), 2, "another", NOON, null));
            assertThat(cancelled.await(30, TimeUnit.SECONDS)).isTrue();

            IOException failure = new IOException("job cancelled");
            assertThat(first.lost(failure)).get().satisfies(lost -> {
                assertThat(lost.exitCode()).isEqualTo(ExitCode.TEMPORARY);
                assertThat(lost)
                        .hasCause(failure)
                        .hasMessage("Attempt 1 stops writing to " + directory
                                + ": attempt 2 has taken over; run again later");
            });
            CountDownLatch late = new CountDownLatch(1);
            first.whenLost(late::countDown);
            assertThat(late.getCount()).as("run at once").isZero();
        }
        assertThat(storage.readJson(ownerPath(), Owner.class).leaseSeconds())
                .as("a lost output is not released")
                .isEqualTo(1);
    }

    /** The job may be between two of Spark's jobs when the claim is lost; the next one has to end as well. */
    @Test
    void workThatBeginsAfterTheLossIsEndedAsWell() throws Exception {
        RunOutput brief = new RunOutput(storage, directory, new ClaimSettings(1, 1), notices::add, clock, Pace.SYSTEM);
        CountDownLatch again = new CountDownLatch(3);
        OutputClaim first = brief.claim(PLAN).orElseThrow();
        first.whenLost(again::countDown);
        // For longer than a lease nothing can be written, and then again.
        Path owner = temp.resolve("out/_owner.json");
        Files.delete(owner);
        Files.createDirectory(owner);
        Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> first.lost(new IOException())
                .isPresent());
        Files.delete(owner);
        assertThat(again.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(owner).as("a lost claim is not renewed").doesNotExist();
        first.close();
    }

    @Test
    void aHeartbeatThatCannotBeWrittenForALeaseLosesTheClaim() throws Exception {
        RunOutput brief = new RunOutput(storage, directory, new ClaimSettings(3, 1), notices::add, clock, Pace.SYSTEM);
        CountDownLatch cancelled = new CountDownLatch(1);
        OutputClaim first = brief.claim(PLAN).orElseThrow();
        first.whenLost(cancelled::countDown);
        Path owner = temp.resolve("out/_owner.json");
        Files.delete(owner);
        Files.createDirectory(owner);
        assertThat(cancelled.await(30, TimeUnit.SECONDS)).isTrue();
        assertFails(ExitCode.TEMPORARY, first::check)
                .isEqualTo("Attempt 1 stops writing to " + directory
                        + ": its heartbeat could not be written for 3 s (Cannot write" + " file:" + owner
                        + ": it is a directory; choose another name); run again later");
        first.close();
    }
}
