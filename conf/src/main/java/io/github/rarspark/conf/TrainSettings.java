package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;

/**
 * Data-parallel training. Locations are Hadoop URIs; an empty one is not given. Steps are optimizer updates and counted
 * from 0.
 */
public record TrainSettings(
        @Setting(value = "", altersResult = false, doc = "Token shards to train on.") String tokens,
        @Setting(value = "", altersResult = false, doc = "Folder for the run: checkpoints, metrics, weights.")
                String output,
        @Setting(value = "", altersResult = false, doc = "Weights to start from instead of random ones.") String init,
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Weights of the tokenizer, for the sample grid; none, no grid.")
                String tokenizer,
        @Setting(
                        value = "1",
                        range = "[1, )",
                        altersResult = false,
                        doc = "Processes that train together, one Spark task slot each.")
                int ranks,
        @Setting(value = "false", altersResult = false, doc = "Only measure the loss of the weights in train.init.")
                boolean evaluate,
        @Setting(value = "2048", range = "[1, )", doc = "Samples of one update, over all ranks.") int batch,
        @Setting(
                        value = "0",
                        range = "[0, )",
                        doc = "Samples a rank computes at a time, accumulating gradients; 0 is its whole share.")
                int microBatch,
        @Setting(value = "250000", range = "[1, )", doc = "Updates to make.") int steps,
        @Setting(value = "0.0004", range = "(0, )", doc = "Learning rate after the warm-up.") double lr,
        @Setting(value = "0.00001", range = "[0, )", doc = "Learning rate at the end of the cosine decay.")
                double endLr,
        @Setting(value = "62500", range = "[0, )", doc = "Updates over which the learning rate rises linearly from 0.")
                int warmupSteps,
        @Setting(value = "0.9", range = "[0, 1)", doc = "AdamW's decay of the gradient average.") double beta1,
        @Setting(value = "0.96", range = "[0, 1)", doc = "AdamW's decay of the squared gradient average.") double beta2,
        @Setting(value = "0.00000001", range = "(0, )", doc = "AdamW's addition to the denominator.") double eps,
        @Setting(value = "0.03", range = "[0, )", doc = "AdamW's weight decay, on matrices only.") double weightDecay,
        @Setting(value = "1", range = "(0, )", doc = "Norm to which the joint gradient is clipped.") double maxGradNorm,
        @Setting(
                        value = "0.1",
                        range = "[0, 1]",
                        doc = "Probability that a sample's class is dropped, for classifier-free guidance.")
                double classDrop,
        @Setting(
                        value = "125000",
                        range = "[0, )",
                        doc = "Step until which each sample's order is a random permutation.")
                int annealStart,
        @Setting(
                        value = "187500",
                        range = "[0, )",
                        doc =
                                "Step from which each sample's order is train.scan_order; between the two the share falls linearly.")
                int annealEnd,
        @Setting(value = "row-major", doc = "Order that training anneals to; random is for generate.order only.")
                TokenOrder scanOrder,
        @Setting(value = "bf16", doc = "Arithmetic of the large matrix products.") Precision precision,
        @Setting(value = "1000", range = "[1, )", altersResult = false, doc = "Updates between checkpoints.")
                int checkpointEvery,
        @Setting(
                        value = "5000",
                        range = "[0, )",
                        altersResult = false,
                        doc = "Updates between sample grids; 0 is never.")
                int sampleEvery,
        @Setting(value = "50", range = "[1, )", altersResult = false, doc = "Updates between lines of metrics.jsonl.")
                int logEvery,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one rank.") int threads,
        @Setting(
                        value = "600",
                        range = "[1, )",
                        altersResult = false,
                        doc = "Seconds that a rank waits for another one before the job stops.")
                int timeoutSeconds,
        @Setting(value = "25", range = "(0, )", doc = "Megabytes of gradients that are all-reduced together.")
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
