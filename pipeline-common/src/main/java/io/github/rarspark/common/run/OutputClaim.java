package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right of this driver to publish into an output, until another attempt takes over. Closing it lets the output go,
 * so that the next run need not wait for the lease to end. Driver only.
 */
public final class OutputClaim implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OutputClaim.class);
    private static final int SIGNS_PER_LEASE = 3;

    private final Storage storage;
    private final String directory;
    private final Plan plan;
    private final int attempt;
    private final Owner owner;
    private final InstantSource clock;
    private final ScheduledExecutorService heartbeat;

    OutputClaim(Storage storage, String directory, Plan plan, int attempt, Owner owner, InstantSource clock) {
        this.storage = storage;
        this.directory = directory;
        this.plan = plan;
        this.attempt = attempt;
        this.owner = owner;
        this.clock = clock;
        this.heartbeat = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "owner-of-" + Storage.name(directory));
            thread.setDaemon(true);
            return thread;
        });
    }

    /** The plan to follow: that of the first attempt, with its units. */
    public Plan plan() {
        return plan;
    }

    /** 1 for the first run over this output, one more for each that took over. */
    public int attempt() {
        return attempt;
    }

    /** Whether an earlier attempt may have left finished parts. */
    public boolean resumes() {
        return attempt > 1;
    }

    /** The output's directory. */
    public String directory() {
        return directory;
    }

    /** The storage the output lies in. */
    public Storage storage() {
        return storage;
    }

    /** The path of {@code name} in the output. */
    public String path(String name) {
        return Storage.child(directory, name);
    }

    /**
     * Makes sure that this attempt still owns the output.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if another has taken over
     */
    public void check() throws IOException {
        Optional<PlanFile> current = RunOutput.readPlan(storage, directory);
        if (current.isEmpty() || !current.get().owner().equals(owner.id())) {
            String other = current.map(file -> "attempt " + file.attempt() + " has taken over")
                    .orElse(PlanFile.NAME + " is gone");
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Attempt " + attempt + " stops writing to " + directory + ": " + other + "; run again later");
        }
    }

    /** Writes an object that readers trust, such as a manifest or a pointer, after {@link #check}. */
    public Stored publish(String name, Storage.Writer writer) throws IOException {
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
            finish(JobResult.failed(plan, started, seconds, failure));
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Stops the signs of life and lets the output go. */
    @Override
    public void close() throws IOException {
        heartbeat.shutdown();
        try {
            if (!heartbeat.awaitTermination(owner.leaseSeconds(), TimeUnit.SECONDS)) {
                LOG.warn("The sign of life in {} is still being written", directory);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (ownsDirectory()) {
            storage.putJson(path(Owner.NAME), owner.released());
        }
    }

    /** Gives the first sign of life, removes what dead writers left, and goes on giving signs. */
    void begin() throws IOException {
        renew();
        check();
        storage.delete(path(JobResult.NAME));
        storage.deleteTemporaries(directory);
        long period = Math.max(1, TimeUnit.SECONDS.toMillis(owner.leaseSeconds()) / SIGNS_PER_LEASE);
        heartbeat.scheduleAtFixedRate(this::renewOrWarn, period, period, TimeUnit.MILLISECONDS);
    }

    /** Gives a sign of life, unless another attempt has taken over. */
    void renew() throws IOException {
        if (ownsDirectory()) {
            storage.putJson(path(Owner.NAME), owner.renewedAt(clock.instant()));
        }
    }

    private boolean ownsDirectory() throws IOException {
        return RunOutput.readPlan(storage, directory)
                .filter(file -> file.owner().equals(owner.id()))
                .isPresent();
    }

    private void renewOrWarn() {
        try {
            renew();
        } catch (IOException | RuntimeException e) {
            // The next sign may get through; a lease that runs out shows in check().
            LOG.warn("Cannot give a sign of life in {}", directory, e);
        }
    }
}
