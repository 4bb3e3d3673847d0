package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Legend;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Draws images' tokens, class-conditionally and guided (Section 4.1 of the paper). What is drawn for an image depends on
 * the seed, its class and its index alone, up to the rounding of the arithmetic, which depends on the batch it shares.
 *
 * @param model the model
 * @param guidance how classes are emphasized
 * @param temperature divides the logits
 */
public record RarSampler(RarModel model, Guidance guidance, double temperature) {
    /**
     * One image to draw.
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
     * Draws the tokens of a batch of images.
     *
     * @param seed of the run
     * @param orders {@code [B][T]}: the raster place of each image's k-th token
     * @return {@code [B][T]} tokens at their raster places
     */
    public long[][] sample(NDManager manager, long seed, Request[] requests, int[][] orders) {
        int tokens = model.config().tokens();
        int[] labels = Arrays.stream(requests).mapToInt(Request::label).toArray();
        long[][] drawn_TB = run(manager, labels, orders, tokens, drawing(seed, requests));
        long[][] raster = new long[requests.length][tokens];
        for (int b = 0; b < requests.length; b++) {
            for (int t = 0; t < tokens; t++) {
                raster[b][orders[b][t]] = drawn_TB[t][b];
            }
        }
        return raster;
    }

    /** Draws each token from its distribution, with the random numbers of each image. */
    public Chooser drawing(long seed, Request[] requests) {
        RandomStream[] streams = Arrays.stream(requests)
                .map(request -> RandomStream.of(seed, Purpose.SAMPLE_TOKENS, request.label(), request.index()))
                .toArray(RandomStream[]::new);
        return (s, t, logits_BV) -> {
            double[] uniforms =
                    Arrays.stream(streams).mapToDouble(RandomStream::nextDouble).toArray();
            NDArray probabilities_BV = s.softmax(s.affine(s.to(logits_BV, DataType.FLOAT32), 1 / temperature, 0));
            return s.sampleCategories(probabilities_BV, s.doubles(uniforms, uniforms.length));
        };
    }

    /**
     * Steps through the first {@code steps} tokens, each chosen by {@code chooser} from the guided logits.
     *
     * @param labels {@code [B]} classes
     * @param orders {@code [B][T]} as of {@link #sample}
     * @return {@code [steps][B]} tokens in the order of prediction
     * @throws IllegalArgumentException if the shapes differ from these, or a label is no class of the model
     */
    public long[][] run(NDManager manager, int[] labels, int[][] orders, int steps, Chooser chooser) {
        int images = labels.length;
        Legend.of('B', images).and('T', model.config().tokens()).check("orders_BT", orders);
        // With guidance a second row of each image, behind all first ones, is computed without its class.
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
     * The orders in which images are drawn: the same fixed one for all, or a random one each, as purely random-order
     * models want it.
     *
     * @param fixed the order to use; empty for random ones, which depend on the seed, an image's class and its index
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
