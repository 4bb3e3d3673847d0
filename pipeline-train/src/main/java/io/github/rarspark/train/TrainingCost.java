package io.github.rarspark.train;

import com.sun.management.OperatingSystemMXBean;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.conf.Precision;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.RarConfig;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a training takes at least, by counting: what cannot fit is refused before it begins, and what takes very long is
 * announced.
 *
 * @param settings of the training
 * @param stateBytes weights, gradients, two moments and averages of a rank
 * @param copyBytes what rank 0 copies for a checkpoint, all but the gradients
 * @param passBytes what the backward pass of a rank reads: the activations of all blocks, with activation checkpointing the
 *     inputs of all blocks and the activations of one; and the logits
 * @param updateFlops operations of the matrix products in a rank's share of an update
 */
record TrainingCost(TrainSettings settings, double stateBytes, double copyBytes, double passBytes, double updateFlops) {
    /** More than a thread of present CPUs reaches in float32; with AMX, bfloat16 can be a few times as fast. */
    private static final double FLOPS_PER_THREAD = 100e9;

    private static final Duration LONG_UPDATE = Duration.ofMinutes(30);
    private static final double GIGABYTE = 1e9;

    static TrainingCost of(Recipe recipe) {
        TrainSettings settings = recipe.train();
        RarConfig model = KernelSettings.rar(recipe.model());
        double positions = (double) settings.samplesPerPass() * model.positions();
        double block = blockBytes(model, recipe.model().dropout() > 0, settings.precision());
        double blocks = settings.activationCheckpointing()
                ? (double) model.layers() * model.hidden() * Float.BYTES + block
                : model.layers() * block;
        double logits = (double) model.codes() * Float.BYTES;
        double perBlock = 4.0 * model.hidden() * model.hidden() + 2.0 * model.hidden() * model.mlp();
        int blockPasses = settings.activationCheckpointing() ? 4 : 3;
        double share = (double) settings.batch() / settings.ranks() * model.positions();
        double weights = (double) model.parameters().elements() * Float.BYTES;
        int averages = settings.emaDecay() > 0 ? 1 : 0;
        return new TrainingCost(
                settings,
                (4 + averages) * weights,
                (3 + averages) * weights,
                positions * (blocks + logits),
                // A multiplication and an addition each, in a forward pass once, in a backward pass twice.
                2 * share * (blockPasses * model.layers() * perBlock + 3.0 * model.hidden() * model.codes()));
    }

    /**
     * What the backward pass of a block reads for each position, a little less than measured. Of the residual stream's
     * width: inputs and outputs of normalizations, products and residual sums, and the modulations; of the MLP's: its
     * hidden layer on both sides of the activation, and once more if dropout follows.
     */
    private static double blockBytes(RarConfig model, boolean dropout, Precision precision) {
        double hidden = (model.conditioning() == Conditioning.ADALN ? 26.0 : 15.0) + (dropout ? 4 : 0);
        double values = hidden * model.hidden() + (dropout ? 3.0 : 2.0) * model.mlp();
        // Under autocast, what is not a product stays in float32.
        return values * (precision == Precision.FP32 ? 4 : 2.3);
    }

    /** The settings to change for less memory, as what follows "lower". */
    static String lowerForMemory(TrainSettings settings) {
        return settings.activationCheckpointing()
                ? "train.micro_batch"
                : "train.micro_batch or set train.activation_checkpointing=true";
    }

    /** What it takes of the host: with ranks on GPUs, the memory of the copies for checkpoints. */
    TrainingCost on(JobDevice device) {
        return device.isGpu() ? new TrainingCost(settings, 0, copyBytes, 0, 0) : this;
    }

    /** The memory outside the heap of a process with {@code ranks} ranks, the first among them. */
    double bytes(int ranks) {
        return ranks * (stateBytes + samplesBytes()) + copyBytes;
    }

    /** What the samples of a pass take at the peak: their activations are freed as the gradients appear. */
    private double samplesBytes() {
        double gradients = Math.max(0, stateBytes - copyBytes);
        return Math.max(0, passBytes - gradients);
    }

    /**
     * Checks that all ranks fit into this machine.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if its memory is less than they take at least
     */
    void requireFits() {
        requireFits(machineMemoryBytes());
    }

    private static double machineMemoryBytes() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    void requireFits(double memoryBytes) {
        double needed = bytes(settings.ranks());
        if (needed > memoryBytes) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    String.format(
                            Locale.ROOT,
                            "Cannot train: %d ranks (train.ranks) need at least %.1f GB on this machine, %.1f GB for"
                                    + " the"
                                    + " model and %.1f GB for %d samples at a time, but it has %.1f GB; lower"
                                    + " %s",
                            settings.ranks(),
                            needed / GIGABYTE,
                            (settings.ranks() * stateBytes + copyBytes) / GIGABYTE,
                            settings.ranks() * samplesBytes() / GIGABYTE,
                            settings.ranks() * settings.samplesPerPass(),
                            memoryBytes / GIGABYTE,
                            lowerForMemory(settings)));
        }
    }

    /**
     * What the user should know if all ranks run on this machine and share a token store.
     *
     * @param storeBytes the length of the token store
     */
    Optional<String> storeWarning(long storeBytes) {
        return storeWarning(storeBytes, machineMemoryBytes());
    }

    Optional<String> storeWarning(long storeBytes, double memoryBytes) {
        double left = memoryBytes - settings.ranks() * (stateBytes + samplesBytes());
        return storeBytes <= left
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT,
                        "the token store of %.1f GB does not fit into the memory that %d ranks (train.ranks) leave,"
                                + " %.1f GB: steps may wait for the disk of spark.local.dir",
                        storeBytes / GIGABYTE,
                        settings.ranks(),
                        left / GIGABYTE));
    }

    /** What the user should know before waiting. */
    List<String> warnings() {
        double minutes = updateFlops / (FLOPS_PER_THREAD * settings.threads()) / 60;
        return minutes < LONG_UPDATE.toMinutes()
                ? List.of()
                : List.of(String.format(
                        Locale.ROOT,
                        "an update of %d samples (train.batch) takes at least about %.0f minutes on %d ranks with %d"
                                + " threads each"
                                + " (%.1e operations per rank); lower train.batch or use more ranks",
                        settings.batch(),
                        minutes,
                        settings.ranks(),
                        settings.threads(),
                        updateFlops));
    }
}
