package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.ContentWriter;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right of this driver to publish into an output, until another attempt takes over. While it is open, it writes
 * heartbeats; closing it releases the output, so that the next run need not wait for the lease to end. Driver only.
 */
public final class OutputClaim implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OutputClaim.class);
    private static final int OWNER_NAME_LENGTH = 8;

    private final Storage storage;
    private final String directory;
    private final Attempts attempts;
    private final PlanFile attempt;
    private final InstantSource clock;
    private final Heartbeat heartbeat;
    private final List<Runnable> whenLost = new CopyOnWriteArrayList<>();
    private final AtomicReference<String> lost = new AtomicReference<>();
    private volatile BooleanSupplier interrupted = () -> false;
    private Owner owner;

    OutputClaim(Storage storage, String directory, PlanFile attempt, Owner owner, InstantSource clock, Pace pace) {
        this.storage = storage;
        this.directory = directory;
        this.attempts = new Attempts(storage, directory, pace);
        this.attempt = attempt;
        this.owner = owner;
        this.clock = clock;
        this.heartbeat = new Heartbeat(
                directory, Duration.ofSeconds(owner.leaseSeconds()), pace, this::writeHeartbeat, this::lose);
    }

    /** The plan to follow: that of the first attempt, with its units. */
    public Plan plan() {
        return attempt.plan();
    }

    /** 1 for the first run over this output, incremented by each take-over. */
    public int attempt() {
        return attempt.attempt();
    }

    /** Eight hexadecimal digits that identify this driver, for file names. */
    public String owner() {
        return attempt.owner().substring(0, OWNER_NAME_LENGTH);
    }

    /** Whether an earlier attempt may have left finished parts. */
    public boolean resumes() {
        return attempt() > 1;
    }

    /** The output's directory. */
    public String directory() {
        return directory;
    }

    /** The output's storage. */
    public Storage storage() {
        return storage;
    }

    /** The path of {@code name} in the output. */
    public String path(String name) {
        return Storage.child(directory, name);
    }

    /**
     * Has {@code action} run when the claim is lost, such as the end of the job's tasks, at once if it is lost already,
     * and again with every heartbeat, because the job may have begun other tasks meanwhile. It runs on a thread of the
     * claim's.
     */
    public void whenLost(Runnable action) {
        whenLost.add(action);
        if (lost.get() != null) {
            action.run();
        }
    }

    /**
     * What ends the job instead of {@code failure}, if the claim is lost: then the failure is only how the job's parts
     * noticed.
     */
    public Optional<JobException> lost(Throwable failure) {
        return Optional.ofNullable(lost.get()).map(reason -> stopped(reason, failure));
    }

    /** Has {@link #endIfStopped} end the work as soon as {@code condition} holds, such as a stop of the session. */
    public void interruptIf(BooleanSupplier condition) {
        interrupted = condition;
    }

    /**
     * Ends work that is useless because the claim is lost, or that is interrupted. It does not access the storage, so
     * long work on the driver can call it at every step.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if a heartbeat or a check found the claim lost, {@link
     *     ExitCode#INTERRUPTED} if the condition of {@link #interruptIf} holds
     */
    public void endIfStopped() {
        String reason = lost.get();
        if (reason != null) {
            throw stopped(reason, null);
        }
        if (interrupted.getAsBoolean()) {
            throw new JobException(
                    ExitCode.INTERRUPTED,
                    "The work on " + directory + " was interrupted; run the same command to resume");
        }
    }

    /**
     * Checks that this attempt still owns the output.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if not
     */
    public void check() throws IOException {
        Optional<String> reason = reasonOfLoss();
        if (reason.isPresent()) {
            lose(reason.get());
            throw stopped(reason.get(), null);
        }
    }

    /** Writes an object that readers trust, such as a manifest or a pointer, after {@link #check}. */
    public Stored publish(String name, ContentWriter writer) throws IOException {
        check();
        return storage.put(path(name), writer);
    }

    /** Writes {@code result.json}, the last object, after {@link #check}. */
    public void finish(JobResult result) throws IOException {
        check();
        storage.putJson(path(JobResult.NAME), result);
    }

    /**
     * Writes the {@code result.json} of a job that {@code failure} ended, for the schedulers that read it. If that
     * cannot be done either, or another attempt has taken over, {@code failure} gets it as a suppressed exception.
     */
    public void fail(Instant started, Throwable failure) {
        // An interrupted thread cannot write to every file system; the caller sees the interruption afterwards.
        boolean interrupted = Thread.interrupted();
        try {
            double seconds = Duration.between(started, clock.instant()).toMillis() / 1e3;
            finish(JobResult.failed(plan(), started, seconds, failure));
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the heartbeats and releases the output, if it is still this attempt's. */
    @Override
    public void close() throws IOException {
        heartbeat.close();
        if (lost.get() == null && attempts.isCurrent(attempt.owner())) {
            storage.putJson(path(Owner.NAME), currentOwner().released());
        }
    }

    /** Writes the first heartbeat, removes what dead writers and another plan's attempt left, and keeps the lease. */
    void begin() throws IOException {
        if (attempt.replaces() != null) {
            int published = Published.of(storage, directory).generations();
            for (String path : Leftovers.in(storage, directory, published).unfinished()) {
                check();
                storage.delete(path);
            }
        }
        // Listed before this attempt writes and while it owns the output: these are of earlier attempts, not of a
        // later.
        List<String> abandoned = storage.temporaries(directory);
        heartbeat.start();
        check();
        storage.delete(path(JobResult.NAME));
        for (String path : abandoned) {
            storage.delete(path);
        }
    }

    /** Writes a heartbeat now. */
    void renew() throws IOException {
        heartbeat.renew();
    }

    private void writeHeartbeat() throws IOException {
        Optional<String> reason = reasonOfLoss();
        if (reason.isPresent()) {
            lose(reason.get());
        } else {
            storage.putJson(path(Owner.NAME), nextOwner());
        }
    }

    private synchronized Owner nextOwner() {
        owner = owner.renewedAt(clock.instant());
        return owner;
    }

    private synchronized Owner currentOwner() {
        return owner;
    }

    /** Why this attempt may not go on, if it may not; a claim that was lost once stays lost. */
    private Optional<String> reasonOfLoss() throws IOException {
        String reason = lost.get();
        return reason == null ? successor() : Optional.of(reason);
    }

    /** Who owns the output instead, if this attempt does not. */
    private Optional<String> successor() throws IOException {
        Optional<PlanFile> current = attempts.current();
        if (current.isEmpty()) {
            return Optional.of(PlanFile.NAME + " is gone");
        }
        return current.filter(file -> !file.owner().equals(attempt.owner()))
                .map(file -> file.attempt() == attempt()
                        ? "another driver has the same attempt"
                        : "attempt " + file.attempt() + " has taken over");
    }

    private void lose(String reason) {
        if (lost.compareAndSet(null, reason)) {
            LOG.error("Attempt {} has lost {}: {}", attempt(), directory, reason);
        }
        whenLost.forEach(Runnable::run);
    }

    private JobException stopped(String reason, Throwable cause) {
        return new JobException(
                ExitCode.TEMPORARY,
                "Attempt " + attempt() + " stops writing to " + directory + ": " + reason + "; run again later",
                cause);
    }
}
