package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;

/**
 * Data-parallel training. Locations are Hadoop URIs; empty means not given. Steps are optimizer updates, counted from
 * 0.
 */
@Settings(
        """
        key              | type       | default    | range  | hashed | meaning
        tokens           | String     |            |        | no     | Token shards to train on.
        output           | String     |            |        | no     | Output folder of the run: checkpoints, metrics,
                                                                       weights.
        init             | String     |            |        | no     | Weights to start from; random if empty.
        tokenizer        | String     |            |        | no     | Weights of the tokenizer, for the sample grids;
                                                                       none are written if empty.
        ranks            | int        | 1          | [1, )  | no     | Number of ranks, one Spark task slot each.
        evaluate         | boolean    | false      |        | no     | Only measure the loss of the weights in
                                                                       train.init.
        batch            | int        | 2048       | [1, )  | yes    | Global batch: samples per update over all ranks.
        micro_batch      | int        | 0          | [0, )  | no     | Samples per forward pass of a rank, with gradient
                                                                       accumulation; 0 for the rank's whole share.
        activation_checkpointing | boolean | false  |   | no     | Whether the backward pass recomputes the blocks
                                                                       instead of keeping their activations: far less
                                                                       memory, the same weights, a third more
                                                                       operations.
        steps            | int        | 250000     | [1, )  | yes    | Number of updates.
        lr               | double     | 0.0004     | (0, )  | yes    | Peak learning rate, reached after the warm-up.
        end_lr           | double     | 0.00001    | [0, )  | yes    | Learning rate at the end of the cosine decay.
        warmup_steps     | int        | 62500      | [0, )  | yes    | Updates of linear warm-up from 0.
        beta1            | double     | 0.9        | [0, 1) | yes    | AdamW beta1: decay of the first moment.
        beta2            | double     | 0.96       | [0, 1) | yes    | AdamW beta2: decay of the second moment.
        eps              | double     | 0.00000001 | (0, )  | yes    | AdamW epsilon.
        weight_decay     | double     | 0.03       | [0, )  | yes    | AdamW weight decay, applied to matrices only.
        max_grad_norm    | double     | 1          | (0, )  | yes    | Maximum global gradient norm; larger gradients
                                                                       are clipped.
        skip_grad_norm   | double     | 0          | [0, )  | yes    | Gradient norm above which an update is skipped; 0
                                                                       for no limit.
        max_skips        | int        | 10         | [0, )  | no     | Updates in a row that may be skipped because the
                                                                       gradient is not finite or exceeds
                                                                       train.skip_grad_norm; one more ends the run.
        class_drop       | double     | 0.1        | [0, 1] | yes    | Probability of dropping a sample's class, for
                                                                       classifier-free guidance.
        anneal_start     | int        | 125000     | [0, )  | yes    | Step until which every sample is in a random
                                                                       order.
        anneal_end       | int        | 187500     | [0, )  | yes    | Step from which every sample is in
                                                                       train.scan_order; the permutation probability
                                                                       falls linearly from train.anneal_start to here.
        scan_order       | TokenOrder | row-major  |        | yes    | Scan order that training anneals to; random is
                                                                       for generate.order only.
        precision        | Precision  | bf16       |        | yes    | Precision of the large matrix products.
        ema_decay        | double     | 0          | [0, 1) | yes    | Decay of the exponential moving average of the
                                                                       weights; 0 for none.
        checkpoint_every | int        | 1000       | [1, )  | no     | Updates between checkpoints.
        checkpoint_minutes | double   | 0          | [0, )  | no     | Minutes after which there is a checkpoint in any
                                                                       case; 0 for no limit.
        keep_last        | int        | 5          | [0, )  | no     | Newest checkpoints that are kept; 0 for all.
        keep_every       | int        | 0          | [0, )  | no     | Checkpoints after a multiple of so many updates are
                                                                       kept for good; 0 for none.
        sample_every     | int        | 5000       | [0, )  | no     | Updates between sample grids; 0 for none.
        log_every        | int        | 50         | [1, )  | no     | Updates between lines of metrics.jsonl.
        threads          | int        | 1          | [1, )  | yes    | Libtorch threads per rank.
        timeout_seconds  | int        | 600        | [1, )  | no     | Seconds that ranks wait for each other to start,
                                                                       and the last limit of every collective.
        step_timeout_seconds | int    | 30         | [2, )  | no     | Seconds without a heartbeat of a rank after which
                                                                       it counts as lost.
        stop_seconds     | int        | 60         | [0, )  | no     | Seconds that an interrupted training may take to
                                                                       finish its step and write a checkpoint; 0 to end
                                                                       without.
        max_restarts     | int        | 10         | [0, )  | no     | Restarts from the newest checkpoint within
                                                                       train.restart_window_minutes after which a lost
                                                                       rank ends the job.
        restart_window_minutes | double | 60       | (0, )  | no     | Minutes after which a restart no longer counts.
        bucket_mb        | double     | 25         | (0, )  | yes    | Megabytes of gradients per all-reduce.
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
        boolean activationCheckpointing,
        int steps,
        double lr,
        double endLr,
        int warmupSteps,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        double maxGradNorm,
        double skipGradNorm,
        int maxSkips,
        double classDrop,
        int annealStart,
        int annealEnd,
        TokenOrder scanOrder,
        Precision precision,
        double emaDecay,
        int checkpointEvery,
        double checkpointMinutes,
        int keepLast,
        int keepEvery,
        int sampleEvery,
        int logEvery,
        int threads,
        int timeoutSeconds,
        int stepTimeoutSeconds,
        int stopSeconds,
        int maxRestarts,
        double restartWindowMinutes,
        double bucketMb)
        implements Serializable {

    /** Checks that the batch divides evenly over ranks and micro-batches and that the schedules are in order. */
    public TrainSettings {
        require(
                batch % ranks == 0,
                "Cannot use train.batch=%d with train.ranks=%d: every rank takes the same share; give a multiple of the"
                        + " number of ranks",
                batch,
                ranks);
        require(
                microBatch == 0 || batch / ranks % microBatch == 0,
                "Cannot use train.micro_batch=%d: a rank's share of the batch is %d samples; give one of its divisors"
                        + " or 0",
                microBatch,
                batch / ranks);
        require(
                warmupSteps < steps,
                "Cannot use train.warmup_steps=%d with train.steps=%d: the warm-up must end before training does; give"
                        + " fewer",
                warmupSteps,
                steps);
        require(
                endLr <= lr,
                "Cannot use train.end_lr=%s with train.lr=%s: the learning rate must not increase; give at most"
                        + " train.lr",
                Key.format(endLr),
                Key.format(lr));
        require(
                annealStart <= annealEnd,
                "Cannot use train.anneal_start=%d with train.anneal_end=%d: annealing must not end before it starts;"
                        + " give a later end",
                annealStart,
                annealEnd);
        require(
                scanOrder != TokenOrder.RANDOM,
                "Cannot use train.scan_order=random: for random orders throughout set train.anneal_start and"
                        + " train.anneal_end to train.steps");
    }

    /** Samples per forward pass of a rank. */
    public int samplesPerPass() {
        return microBatch() == 0 ? batch / ranks : microBatch();
    }
}
