package io.github.rarspark.train;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.train.coordinator.CoordinatorAddress;
import java.io.Serializable;
import java.util.Optional;

/**
 * What every rank needs; the same for all.
 *
 * @param recipe the whole recipe
 * @param device what they compute on
 * @param storage reaches all URIs
 * @param tokens what to train on
 * @param output the run's directory
 * @param planSha256 hash of the run's plan
 * @param attempt of the run, in the names of its checkpoints
 * @param restart of the attempt, in the names of its checkpoints; 0 before the first
 * @param owner identifies the run's driver, in the names of its checkpoints
 * @param resume the checkpoint to resume from; null to start from the beginning
 * @param init the weights to start from; null for random ones
 * @param tokenizer decodes the sample grid; null if no grid is written
 * @param coordinator the driver
 */
record RankAssignment(
        Recipe recipe,
        JobDevice device,
        Storage storage,
        TokenSource tokens,
        String output,
        String planSha256,
        int attempt,
        int restart,
        String owner,
        Checkpoints.Reference resume,
        WeightFile init,
        WeightFile tokenizer,
        CoordinatorAddress coordinator)
        implements Serializable {
    /** What the ranks of a stage need, to resume from {@code resume} if there is one. */
    static RankAssignment of(
            JobContext context,
            TrainInputs inputs,
            OutputClaim claim,
            int restart,
            Optional<Checkpoints.Reference> resume,
            CoordinatorAddress coordinator) {
        return new RankAssignment(
                context.recipe(),
                context.device(),
                context.storage(),
                inputs.tokens(),
                claim.directory(),
                claim.plan().sha256(),
                claim.attempt(),
                restart,
                claim.owner(),
                resume.orElse(null),
                inputs.init().orElse(null),
                inputs.tokenizer().orElse(null),
                coordinator);
    }
}
