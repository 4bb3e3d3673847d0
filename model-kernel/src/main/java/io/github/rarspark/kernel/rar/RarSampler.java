package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Legend;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Samples image tokens, class-conditionally and with guidance (Section 4.1 of the paper). With a model made {@link
 * RarModel#forSampling} on a CPU, the tokens of an image depend only on the seed, its class and its index, on one kind of
 * processor; otherwise up to rounding, which depends on the batch that the image is part of.
 *
 * @param model the model
 * @param guidance the guidance schedule
 * @param temperature divides the logits
 */
public record RarSampler(RarModel model, Guidance guidance, double temperature) {
    /**
     * One image to sample.
     *
     * @param label its class, from 0
     * @param index its number in the run
     */
    public record Request(int label, long index) {}

    /** Checks the temperature. */
    public RarSampler {
        if (!(temperature > 0)) {
            throw new IllegalArgumentException("Cannot sample at temperature " + temperature + ": give more than 0");
        }
    }

    /**
     * Samples the tokens of a batch of images.
     *
     * @param seed of the run
     * @param orders {@code [B][T]}: the raster position of each image's k-th token
     * @return {@code [B][T]} tokens at their raster positions
     */
    public long[][] sample(NDManager manager, long seed, Request[] requests, int[][] orders) {
        int tokens = model.config().tokens();
        int[] labels = Arrays.stream(requests).mapToInt(Request::label).toArray();
        long[][] drawn_TB;
        try (NDManager numbers = manager.newSubManager()) {
            drawn_TB = run(manager, labels, orders, tokens, drawing(numbers, seed, requests));
        }
        long[][] raster = new long[requests.length][tokens];
        for (int b = 0; b < requests.length; b++) {
            for (int t = 0; t < tokens; t++) {
                raster[b][orders[b][t]] = drawn_TB[t][b];
            }
        }
        return raster;
    }

    /**
     * Samples each token from its distribution, with the image's own random stream. The numbers of all steps are drawn
     * ahead.
     *
     * @param manager the owner of the numbers and of what is checked at the end
     */
    public Chooser drawing(NDManager manager, long seed, Request[] requests) {
        int tokens = model.config().tokens();
        double[] uniforms = new double[tokens * requests.length];
        for (int b = 0; b < requests.length; b++) {
            RandomStream stream =
                    RandomStream.of(seed, Purpose.SAMPLE_TOKENS, requests[b].label(), requests[b].index());
            for (int t = 0; t < tokens; t++) {
                uniforms[t * requests.length + b] = stream.nextDouble();
            }
        }
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray uniforms_TB = s.keep(s.doubles(uniforms, tokens, requests.length));
            NDArray totals_B = s.keep(s.doubles(new double[requests.length], requests.length));
            return new Drawing(uniforms_TB, totals_B, temperature);
        }
    }

    /**
     * Generates the first {@code steps} tokens, each chosen by {@code chooser} from the guided logits.
     *
     * @param labels {@code [B]} classes
     * @param orders {@code [B][T]} as of {@link #sample}
     * @return {@code [steps][B]} tokens in prediction order
     * @throws IllegalArgumentException if the shapes do not match, or the model has no class of that label
     * @throws io.github.rarspark.kernel.error.NumericException if {@link Chooser#check} does
     */
    public long[][] run(NDManager manager, int[] labels, int[][] orders, int steps, Chooser chooser) {
        int images = labels.length;
        Legend.of('B', images).and('T', model.config().tokens()).check("orders_BT", orders);
        // With guidance, each image has a second, unconditional row, after all conditional ones.
        int rows = guidance.isOn() ? 2 * images : images;
        TokenSpace space = model.config().space();
        long[] conditions_R = new long[rows];
        int[][] orders_RT = new int[rows][];
        for (int row = 0; row < rows; row++) {
            conditions_R[row] = row < images ? space.classId(labels[row]) : space.noClass();
            orders_RT[row] = orders[row % images];
        }
        try (RarDecoder decoder = new RarDecoder(model, manager, conditions_R, orders_RT)) {
            long[][] chosen = decoder.decodeAll(steps, guidance.isOn() ? guided(chooser) : chooser);
            chooser.check();
            return Arrays.stream(chosen)
                    .map(tokens_R -> Arrays.copyOf(tokens_R, images))
                    .toArray(long[][]::new);
        }
    }

    /** Chooses from {@code uncond + scale * (cond - uncond)}, for both rows of an image. */
    private Chooser guided(Chooser chooser) {
        return (s, t, logits_RV) -> {
            List<NDArray> halves = s.split(logits_RV, 0, 2);
            NDArray cond_BV = halves.get(0);
            NDArray uncond_BV = halves.get(1);
            double scale = guidance.at(t, model.config().tokens());
            NDArray guided_BV = s.add(uncond_BV, s.affine(s.subtract(cond_BV, uncond_BV), scale, 0));
            NDArray tokens_B = chooser.choose(s, t, guided_BV);
            return s.concatenate(0, tokens_B, tokens_B);
        };
    }

    /**
     * The orders in which images are sampled: the same fixed order for all, or a random one for each, for models
     * trained in random order only.
     *
     * @param fixed the order to use; empty for random orders, which depend on the seed and the image's class and index
     */
    public static int[][] orders(long seed, Request[] requests, RarConfig config, Optional<ScanOrder> fixed) {
        int tokens = config.tokens();
        return Arrays.stream(requests)
                .map(request -> fixed.map(order -> order.of(tokens))
                        .orElseGet(() -> RandomStream.of(seed, Purpose.SAMPLE_ORDER, request.label(), request.index())
                                .nextPermutation(tokens)))
                .toArray(int[][]::new);
    }
}
