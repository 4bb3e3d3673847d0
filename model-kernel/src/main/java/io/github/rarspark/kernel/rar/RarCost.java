package io.github.rarspark.kernel.rar;

import io.github.rarspark.kernel.tensor.Precision;

/**
 * What a RAR model's computations cost, from its sizes. Counted are the matrix products (a multiplication and an addition
 * are two operations) and what they read from memory at least; activations, which fit the caches, and everything element
 * by element are not.
 *
 * @param config the sizes
 */
public record RarCost(RarConfig config) {
    /**
     * The cost of a computation.
     *
     * @param flop floating-point operations
     * @param bytes read from memory or written to it
     */
    public record Work(double flop, double bytes) {}

    /**
     * The floating-point operations of sampling all tokens of an image with a class of its own. Images of one batch and
     * class share their modulations; each but the first of them costs less by {@link #modulationFlop} at all positions.
     *
     * @param guided whether there is a second, unconditional row
     */
    public double flopPerImage(boolean guided) {
        return sampling(1, 1, guided, config.tokens(), Precision.FP32).flop();
    }

    /**
     * The floating-point operations of one row's step of sampling, without modulations.
     *
     * @param step the number of tokens that are known, from 0; the first step reads two positions, cls and class
     */
    public double stepFlop(int step) {
        return (step == 0 ? positionFlop(1) : 0) + positionFlop(step + 2) + 2 * headWeights();
    }

    /** The floating-point operations of the modulations of one condition at one position; 0 in a plain model. */
    public double modulationFlop() {
        return 2 * modulationWeights();
    }

    /**
     * The cost of sampling the first tokens of a batch, as {@link RarSampler} does it with a model made {@link
     * RarModel#forSampling}. Modulations of no class belong to the model and are not computed again.
     *
     * <p>Bytes: the weights once for each position, those of the modulations once for each chunk of positions; the keys and
     * values of all earlier positions; the modulations, written and read once.
     *
     * @param images of the batch
     * @param classes how many distinct ones they have
     * @param guided whether each image has a second, unconditional row
     * @param steps how many tokens of each
     * @param precision of weights, keys, values and modulations
     */
    public Work sampling(int images, int classes, boolean guided, int steps, Precision precision) {
        int rows = guided ? 2 * images : images;
        double flop = 0;
        for (int step = 0; step < steps; step++) {
            flop += rows * stepFlop(step);
        }
        int read = steps + 1;
        int chunk = ModulationTable.chunkLength(classes);
        int chunks = (read + chunk - 1) / chunk;
        int modulated = Math.min(chunks * chunk, config.positions() - 1);
        flop += (double) modulated * classes * modulationFlop();

        double elements = read * blockWeights() + steps * headWeights() + chunks * modulationWeights();
        elements += rows * 2.0 * config.layers() * config.hidden() * sumTo(read);
        elements += modulationElements()
                * ((double) modulated * classes + (double) read * (guided ? classes + 1 : classes));
        return new Work(flop, elements * precision.type().getNumOfBytes());
    }

    /**
     * The floating-point operations of a forward pass over whole sequences, as in scoring.
     *
     * @param rows of the batch
     * @param conditions how many distinct ones they have, no class among them
     * @param positions of each row; all but the first predict
     */
    public double forwardFlop(int rows, int conditions, int positions) {
        double blocks = positions * 2 * blockWeights() + sumTo(positions) * attentionFlop();
        double head = (positions - 1) * 2 * headWeights();
        return rows * (blocks + head) + (double) conditions * positions * modulationFlop();
    }

    /** One position that attends to {@code length} positions, itself among them. */
    private double positionFlop(int length) {
        return 2 * blockWeights() + length * attentionFlop();
    }

    /** One query times one key and one weight times one value, in all layers and heads. */
    private double attentionFlop() {
        return 4.0 * config.layers() * config.hidden();
    }

    /** The elements of the matrices that each position is multiplied with in the blocks: qkv, projection, MLP. */
    double blockWeights() {
        double d = config.hidden();
        return config.layers() * (4 * d * d + 2 * d * config.mlp());
    }

    /** The elements of the matrix that makes logits. */
    double headWeights() {
        return (double) config.hidden() * config.codes();
    }

    /** The elements of the matrices that make modulations. */
    double modulationWeights() {
        return config.hidden() * modulationElements();
    }

    /** The modulations of one condition at one position: six of a block, two of the head, each as wide as the model. */
    private double modulationElements() {
        return config.conditioning() == Conditioning.ADALN ? (6.0 * config.layers() + 2) * config.hidden() : 0;
    }

    private static double sumTo(int n) {
        return n * (n + 1.0) / 2;
    }
}
