package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;

/**
 * Data-parallel training. Locations are Hadoop URIs; an empty one is not given. Steps are optimizer updates and counted
 * from 0.
 */
@Settings(
        """
        key              | type       | default    | range  | hashed | meaning
        tokens           | String     |            |        | no     | Token shards to train on.
        output           | String     |            |        | no     | Folder for the run: checkpoints, metrics,
                                                                       weights.
        init             | String     |            |        | no     | Weights to start from instead of random ones.
        tokenizer        | String     |            |        | no     | Weights of the tokenizer, for the sample grid;
                                                                       none, no grid.
        ranks            | int        | 1          | [1, )  | no     | Processes that train together, one Spark task
                                                                       slot each.
        evaluate         | boolean    | false      |        | no     | Only measure the loss of the weights in
                                                                       train.init.
        batch            | int        | 2048       | [1, )  | yes    | Samples of one update, over all ranks.
        micro_batch      | int        | 0          | [0, )  | yes    | Samples a rank computes at a time, accumulating
                                                                       gradients; 0 is its whole share.
        steps            | int        | 250000     | [1, )  | yes    | Updates to make.
        lr               | double     | 0.0004     | (0, )  | yes    | Learning rate after the warm-up.
        end_lr           | double     | 0.00001    | [0, )  | yes    | Learning rate at the end of the cosine decay.
        warmup_steps     | int        | 62500      | [0, )  | yes    | Updates over which the learning rate rises
                                                                       linearly from 0.
        beta1            | double     | 0.9        | [0, 1) | yes    | AdamW's decay of the gradient average.
        beta2            | double     | 0.96       | [0, 1) | yes    | AdamW's decay of the squared gradient average.
        eps              | double     | 0.00000001 | (0, )  | yes    | AdamW's addition to the denominator.
        weight_decay     | double     | 0.03       | [0, )  | yes    | AdamW's weight decay, on matrices only.
        max_grad_norm    | double     | 1          | (0, )  | yes    | Norm to which the joint gradient is clipped.
        class_drop       | double     | 0.1        | [0, 1] | yes    | Probability that a sample's class is dropped, for
                                                                       classifier-free guidance.
        anneal_start     | int        | 125000     | [0, )  | yes    | Step until which each sample's order is a random
                                                                       permutation.
        anneal_end       | int        | 187500     | [0, )  | yes    | Step from which each sample's order is
                                                                       train.scan_order; between the two the share falls
                                                                       linearly.
        scan_order       | TokenOrder | row-major  |        | yes    | Order that training anneals to; random is for
                                                                       generate.order only.
        precision        | Precision  | bf16       |        | yes    | Arithmetic of the large matrix products.
        checkpoint_every | int        | 1000       | [1, )  | no     | Updates between checkpoints.
        sample_every     | int        | 5000       | [0, )  | no     | Updates between sample grids; 0 is never.
        log_every        | int        | 50         | [1, )  | no     | Updates between lines of metrics.jsonl.
        threads          | int        | 1          | [1, )  | yes    | Threads of libtorch in one rank.
        timeout_seconds  | int        | 600        | [1, )  | no     | Seconds that a rank waits for another one before
                                                                       the job stops.
        bucket_mb        | double     | 25         | (0, )  | yes    | Megabytes of gradients that are all-reduced
                                                                       together.
        """)
public record TrainSettings(
        String tokens,
        String output,
        String init,
        String tokenizer,
        int ranks,
        boolean evaluate,
        int batch,
        int microBatch,
        int steps,
        double lr,
        double endLr,
        int warmupSteps,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        double maxGradNorm,
        double classDrop,
        int annealStart,
        int annealEnd,
        TokenOrder scanOrder,
        Precision precision,
        int checkpointEvery,
        int sampleEvery,
        int logEvery,
        int threads,
        int timeoutSeconds,
        double bucketMb)
        implements Serializable {

    /** Checks that the batch divides over ranks and micro-batches and that the schedules run forward. */
    public TrainSettings {
        require(
                batch % ranks == 0,
                "Cannot use train.batch=%d with train.ranks=%d: each rank takes the same share; give a multiple of the"
                        + " ranks",
                batch,
                ranks);
        require(
                microBatch == 0 || batch / ranks % microBatch == 0,
                "Cannot use train.micro_batch=%d: a rank's share of the batch is %d samples; give a divisor of it or 0",
                microBatch,
                batch / ranks);
        require(
                warmupSteps < steps,
                "Cannot use train.warmup_steps=%d with train.steps=%d: the warm-up ends before the training; give less",
                warmupSteps,
                steps);
        require(
                endLr <= lr,
                "Cannot use train.end_lr=%s with train.lr=%s: the rate decays; give less",
                Key.format(endLr),
                Key.format(lr));
        require(
                annealStart <= annealEnd,
                "Cannot use train.anneal_start=%d with train.anneal_end=%d: give an end that is not before the start",
                annealStart,
                annealEnd);
        require(
                scanOrder != TokenOrder.RANDOM,
                "Cannot use train.scan_order=random: for random orders throughout set train.anneal_start and"
                        + " train.anneal_end to train.steps");
    }

    /** Samples that one rank computes in one pass. */
    public int samplesPerPass() {
        return microBatch() == 0 ? batch / ranks : microBatch();
    }
}
