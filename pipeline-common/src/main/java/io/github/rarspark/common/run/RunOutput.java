package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.ClaimSettings;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An output directory before it is claimed. Whoever claims it first owns it; rerunning the same plan over it does
 * nothing when it is finished and takes over when its owner is gone.
 */
public final class RunOutput {
    private static final Duration POLL = Duration.ofMillis(500);

    private final Storage storage;
    private final String directory;
    private final ClaimSettings settings;
    private final Consumer<String> notices;
    private final InstantSource clock;
    private final Pace pace;
    private final Attempts attempts;

    /**
     * The output at {@code directory}.
     *
     * @param notices receives a line when a claim has to wait
     */
    public RunOutput(Storage storage, String directory, ClaimSettings settings, Consumer<String> notices) {
        this(storage, directory, settings, notices, InstantSource.system(), Pace.SYSTEM);
    }

    RunOutput(
            Storage storage,
            String directory,
            ClaimSettings settings,
            Consumer<String> notices,
            InstantSource clock,
            Pace pace) {
        this.storage = storage;
        this.directory = directory;
        this.settings = settings;
        this.notices = notices;
        this.clock = clock;
        this.pace = pace;
        this.attempts = new Attempts(storage, directory, pace);
    }

    /** Claims the output for {@code plan} as {@link #claim(Plan, Growth)} does, if it never grows. */
    public Optional<OutputClaim> claim(Plan plan) throws IOException {
        return claim(plan, Growth.NONE);
    }

    /**
     * Claims the output for {@code plan} and begins to write heartbeats. If it is unknown whether the owner is alive,
     * waits for one of its heartbeats for one lease period, and takes over if there is none.
     *
     * @param growth whether another plan may add to what the output has published; {@code plan} then has the input {@link
     *     Published#INPUT} with the identity of that, unless it is nothing
     * @return the claim, or empty if the same work is already finished
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if the directory holds another plan's output or foreign
     *     files, {@link ExitCode#TEMPORARY} if another driver works on it or has published something meanwhile
     */
    public Optional<OutputClaim> claim(Plan plan, Growth growth) throws IOException {
        while (true) {
            Optional<PlanFile> current = attempts.current();
            if (current.isEmpty()) {
                if (isEmpty()) {
                    return Optional.of(take(plan, 1, null));
                }
                // Another driver may have begun in between.
                if (attempts.current().isEmpty()) {
                    throw new JobException(
                            ExitCode.OUTPUT_EXISTS,
                            "Cannot write to " + directory
                                    + (storage.isDirectory(directory)
                                            ? ": it is not empty and not an output of rar-spark (no " + PlanFile.NAME
                                                    + "); choose another --output or empty it"
                                            : ": it is a file; choose another --output"));
                }
                continue;
            }
            PlanFile earlier = current.get();
            boolean sameWork = plan.sameWork(earlier.plan());
            boolean finished = isFinished(storage, directory);
            if (sameWork && finished) {
                return Optional.empty();
            }
            boolean added = !sameWork && growth.adds() && isBehind(earlier, plan, finished);
            if (!sameWork && !added) {
                requireReplaceable(plan, earlier, growth);
            }
            Optional<Owner> owner = ownerOf(earlier);
            if (isAbandoned(earlier, owner)) {
                if (growth.adds()) {
                    requireBase(plan);
                }
                if (added) {
                    return Optional.of(take(plan, earlier.attempt() + 1, null));
                }
                boolean kept = sameWork && (plan.sha256().equals(earlier.planSha256()) || !lackedResources(growth));
                String replaces = kept ? unfinishedReplacement(earlier, owner) : earlier.planSha256();
                return Optional.of(take(kept ? earlier.plan() : plan, earlier.attempt() + 1, replaces));
            }
        }
    }

    /** Whether the generation that {@code attempt} made is published, even if its result is not: another may follow. */
    private boolean isBehind(PlanFile attempt, Plan plan, boolean finished) throws IOException {
        Published published = Published.of(storage, directory);
        return attempt.plan().command().equals(plan.command())
                && published.generations() > 0
                && (finished || published.planSha256().equals(attempt.planSha256()));
    }

    /** When the last owner is gone, nobody publishes; what it published may have come after the plan was made. */
    private void requireBase(Plan plan) throws IOException {
        if (!Published.of(storage, directory).isBaseOf(plan)) {
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Cannot add to " + directory + ": another driver has added a generation meanwhile; run again");
        }
    }

    /**
     * The plan of the last attempt at the output in {@code directory}; empty if there was none.
     *
     * @throws DataException if it is corrupt
     */
    public static Optional<Plan> lastPlan(Storage storage, String directory) throws IOException {
        return new Attempts(storage, directory, Pace.SYSTEM).current().map(PlanFile::plan);
    }

    /** Whether the output at {@code directory} was finished: its {@code result.json} says so. */
    public static boolean isFinished(Storage storage, String directory) throws IOException {
        return readResult(storage, directory)
                .filter(result -> result.status() == JobResult.Status.DONE)
                .isPresent();
    }

    /**
     * The result of the run that wrote {@code directory}, if it ended.
     *
     * @throws DataException if it is corrupt
     */
    public static Optional<JobResult> readResult(Storage storage, String directory) throws IOException {
        String path = Storage.child(directory, JobResult.NAME);
        try {
            return Optional.of(storage.readJson(path, JobResult.class));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (DataException e) {
            throw new DataException(
                    "Cannot read " + path + ": it is damaged; delete this file and run again, which keeps the finished"
                            + " parts of the output",
                    e);
        }
    }

    private boolean isEmpty() throws IOException {
        return storage.walk(directory).stream().allMatch(file -> Leftovers.isPreview(file.name()));
    }

    /**
     * Another plan may replace an attempt that published nothing and failed because of its data, or because of a lack of
     * resources before it finished a shard; and a generation that is half made, if only its new files differ.
     */
    private void requireReplaceable(Plan plan, PlanFile earlier, Growth growth) throws IOException {
        boolean onlyInput = plan.sameWorkOfOtherInput(earlier.plan());
        boolean badData = exitCode() == ExitCode.DATA.number() && nothingPublished(growth);
        if (!(growth.adds() && onlyInput) && !badData && !lackedResources(growth)) {
            throw new JobException(
                    ExitCode.OUTPUT_EXISTS,
                    "Cannot write to " + directory + ": it belongs to another run, " + plan.difference(earlier.plan())
                            + (growth == Growth.OFFERED && onlyInput
                                    ? "; add new files with --incremental, choose another --output or delete it"
                                    : "; choose another --output or delete it"));
        }
    }

    /**
     * Whether the last attempt lacked memory or the like before it finished a shard: nothing depends on its units, which
     * may have been the reason.
     */
    private boolean lackedResources(Growth growth) throws IOException {
        return exitCode() == ExitCode.UNAVAILABLE.number()
                && leftovers(growth).shards().isEmpty()
                && nothingPublished(growth);
    }

    /** Whether the last attempt, which did not finish, has published nothing. */
    private boolean nothingPublished(Growth growth) throws IOException {
        return growth.adds() && published(growth) > 0 || leftovers(growth).only();
    }

    private Leftovers leftovers(Growth growth) throws IOException {
        return Leftovers.in(storage, directory, published(growth));
    }

    /** The number of generations that stay, whatever becomes of the last attempt. */
    private int published(Growth growth) throws IOException {
        return growth.adds() ? Published.of(storage, directory).generations() : 0;
    }

    private int exitCode() throws IOException {
        return readResult(storage, directory).map(JobResult::exitCode).orElse(ExitCode.OK.number());
    }

    /** The last heartbeat of an attempt; empty until its first. */
    private Optional<Owner> ownerOf(PlanFile attempt) throws IOException {
        String path = Storage.child(directory, Owner.NAME);
        try {
            return Optional.of(storage.readJson(path, Owner.class))
                    .filter(owner -> owner.id().equals(attempt.owner()));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (DataException e) {
            throw new DataException(
                    "Cannot read " + path + ": it is damaged; if no other driver works on this output, delete the file"
                            + " and run again",
                    e);
        }
    }

    /** An attempt deletes another plan's leftovers before its first heartbeat; without one it may not have done so. */
    private static String unfinishedReplacement(PlanFile earlier, Optional<Owner> owner) {
        return owner.isPresent() ? null : earlier.replaces();
    }

    /**
     * Whether the owner of an attempt is gone: known to have ended, or without a heartbeat for a whole lease period by
     * this machine's clock. False if the caller should look again, because the output was released meanwhile.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if it is alive
     */
    private boolean isAbandoned(PlanFile attempt, Optional<Owner> owner) throws IOException {
        if (owner.isPresent() && owner.get().hasEnded()) {
            return true;
        }
        if (owner.isPresent() && owner.get().isAlive(clock.instant())) {
            throw busy(attempt, owner, "run again when it has ended");
        }
        long lease = owner.map(Owner::leaseSeconds).orElse((long) settings.leaseSeconds());
        if (lease > settings.waitSeconds()) {
            throw busy(
                    attempt,
                    owner,
                    "its lease of " + lease + " s is longer than claim.wait_seconds=" + settings.waitSeconds()
                            + "; run again when it has ended, or raise that");
        }
        notices.accept("waiting up to " + lease + " s for a heartbeat of " + name(owner) + ", which may still work on "
                + directory + " (attempt " + attempt.attempt() + ")");
        long begin = pace.nanos();
        while (pace.nanos() - begin < Duration.ofSeconds(lease).toNanos()) {
            pace.pause(POLL);
            Optional<PlanFile> now = attempts.current();
            if (!now.equals(Optional.of(attempt))) {
                throw busy(now.orElse(attempt), Optional.empty(), "run again when it has ended");
            }
            Optional<Owner> seen = ownerOf(attempt);
            if (!seen.equals(owner)) {
                if (seen.isPresent() && seen.get().hasEnded()) {
                    return false;
                }
                throw busy(attempt, seen, "run again when it has ended");
            }
        }
        return true;
    }

    private JobException busy(PlanFile attempt, Optional<Owner> owner, String remedy) {
        return new JobException(
                ExitCode.TEMPORARY,
                "Cannot write to " + directory + ": " + name(owner) + " is working on it (attempt " + attempt.attempt()
                        + "); " + remedy);
    }

    private static String name(Optional<Owner> owner) {
        return owner.map(known -> "process " + known.pid() + " on " + known.host())
                .orElse("a driver that has just started");
    }

    private OutputClaim take(Plan plan, int attempt, String replaces) throws IOException {
        Instant now = clock.instant();
        Owner owner = Owner.ofThisProcess(now, Duration.ofSeconds(settings.leaseSeconds()));
        PlanFile file = new PlanFile(plan.sha256(), plan, attempt, owner.id(), now, replaces);
        if (!attempts.create(file)) {
            throw busy(file, Optional.empty(), "run again when it has ended");
        }
        OutputClaim claim = new OutputClaim(storage, directory, file, owner, clock, pace);
        try {
            claim.begin();
        } catch (IOException | RuntimeException e) {
            try {
                claim.close();
            } catch (IOException | RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
        return claim;
    }
}
