package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/**
 * An output directory before it is claimed. Whoever claims it first owns it; rerunning the same plan over it does
 * nothing when it is finished and takes over when its owner is gone.
 */
public final class RunOutput {
    /** How long a driver that gives no sign of life counts as alive. */
    public static final Duration LEASE = Duration.ofSeconds(60);

    private final Storage storage;
    private final String directory;
    private final InstantSource clock;
    private final Duration lease;

    /** The output at {@code directory}, with the system's clock and the usual lease. */
    public RunOutput(Storage storage, String directory) {
        this(storage, directory, InstantSource.system(), LEASE);
    }

    /** The output at {@code directory}; owners give a sign of life three times per {@code lease}. */
    public RunOutput(Storage storage, String directory, InstantSource clock, Duration lease) {
        this.storage = storage;
        this.directory = directory;
        this.clock = clock;
        this.lease = lease;
    }

    /**
     * Claims the output for {@code plan} and begins to give signs of life.
     *
     * @return the claim, or empty if the same work is finished: nothing is left to do
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if the directory holds another plan's output or foreign
     *     files, {@link ExitCode#TEMPORARY} if another driver works on it
     */
    public Optional<OutputClaim> claim(Plan plan) throws IOException {
        Optional<PlanFile> earlier = readPlan(storage, directory);
        if (earlier.isEmpty()) {
            if (!isEmpty()) {
                throw new JobException(
                        ExitCode.OUTPUT_EXISTS,
                        "Cannot write to " + directory + ": it is not empty and no run's output (no " + PlanFile.NAME
                                + "); choose another --output or empty it");
            }
            return Optional.of(take(plan, 1));
        }
        Plan there = earlier.get().plan();
        if (!plan.sameWork(there)) {
            throw new JobException(
                    ExitCode.OUTPUT_EXISTS,
                    "Cannot write to " + directory + ": it belongs to another run, " + plan.difference(there)
                            + "; choose another --output or delete it");
        }
        if (isFinished(storage, directory)) {
            return Optional.empty();
        }
        requireAbandoned(earlier.get());
        return Optional.of(take(there, earlier.get().attempt() + 1));
    }

    /** Whether the output at {@code directory} was finished: its {@code result.json} says so. */
    public static boolean isFinished(Storage storage, String directory) throws IOException {
        return readResult(storage, directory)
                .filter(result -> result.status() == JobResult.Status.DONE)
                .isPresent();
    }

    /** The result of the run that wrote {@code directory}, if it ended. */
    public static Optional<JobResult> readResult(Storage storage, String directory) throws IOException {
        try {
            return Optional.of(storage.readJson(Storage.child(directory, JobResult.NAME), JobResult.class));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
    }

    static Optional<PlanFile> readPlan(Storage storage, String directory) throws IOException {
        String path = Storage.child(directory, PlanFile.NAME);
        try {
            PlanFile file = storage.readJson(path, PlanFile.class);
            if (!file.plan().sha256().equals(file.planSha256())) {
                throw new DataException("Cannot read " + path + ": its hash does not match; delete the directory");
            }
            return Optional.of(file);
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
    }

    private boolean isEmpty() throws IOException {
        return storage.walk(directory).isEmpty();
    }

    private void requireAbandoned(PlanFile earlier) throws IOException {
        Owner owner;
        try {
            owner = storage.readJson(Storage.child(directory, Owner.NAME), Owner.class);
        } catch (FileNotFoundException e) {
            owner = null;
        }
        Instant now = clock.instant();
        boolean gaveSign = owner != null && owner.id().equals(earlier.owner());
        // The owner object follows the plan; until it is there, the plan itself is the sign of life.
        boolean alive =
                gaveSign ? owner.isAlive(now) : now.isBefore(earlier.started().plus(lease));
        if (alive) {
            String where = gaveSign ? "process " + owner.pid() + " on " + owner.host() : "a process that just began";
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Cannot write to " + directory + ": " + where + " is working on it (attempt " + earlier.attempt()
                            + "); run again when it has ended, or " + lease.toSeconds() + " s after it died");
        }
    }

    private OutputClaim take(Plan plan, int attempt) throws IOException {
        Instant now = clock.instant();
        Owner owner = Owner.ofThisProcess(now, lease);
        storage.putJson(
                Storage.child(directory, PlanFile.NAME), new PlanFile(plan.sha256(), plan, attempt, owner.id(), now));
        OutputClaim claim = new OutputClaim(storage, directory, plan, attempt, owner, clock);
        claim.begin();
        return claim;
    }
}
