package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
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

    /** Chooses the t-th token of each image. */
    public interface Chooser {
        /**
         * Picks from guided logits.
         *
         * @param t the step, from 0
         * @param logits_BV one row an image
         * @return int64 [B]
         */
        NDArray choose(TensorScope s, int t, NDArray logits_BV);
    }

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
    public long[][] sample(NDManager manager, long seed, Request[] requests, long[][] orders) {
        int tokens = model.config().tokens();
        int[] labels = Arrays.stream(requests).mapToInt(Request::label).toArray();
        long[][] drawn_TB = run(manager, labels, orders, tokens, drawing(seed, requests));
        long[][] raster = new long[requests.length][tokens];
        for (int b = 0; b < requests.length; b++) {
            for (int t = 0; t < tokens; t++) {
                raster[b][(int) orders[b][t]] = drawn_TB[t][b];
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
     */
    public long[][] run(NDManager manager, int[] labels, long[][] orders, int steps, Chooser chooser) {
        RarConfig config = model.config();
        long[] conditions = Arrays.stream(labels)
                .mapToLong(label -> config.space().classId(label))
                .toArray();
        long[][] rowOrders = orders;
        if (guidance.isOn()) {
            int images = labels.length;
            conditions = Arrays.copyOf(conditions, 2 * images);
            Arrays.fill(conditions, images, 2 * images, config.space().noClass());
            rowOrders = Arrays.copyOf(orders, 2 * images);
            System.arraycopy(orders, 0, rowOrders, images, images);
        }
        long[][] chosen = new long[steps][];
        try (RarDecoder decoder = new RarDecoder(model, manager, conditions, rowOrders)) {
            for (int t = 0; t < steps; t++) {
                try (TensorScope s = TensorScope.inference(manager)) {
                    NDArray logits_RV = t == 0 ? decoder.prefill(s) : decoder.decode(s, rows(s, chosen[t - 1]));
                    chosen[t] = chooser.choose(s, t, guided(s, logits_RV, t)).toLongArray();
                }
            }
        }
        return chosen;
    }

    /** The images' tokens as the decoder's rows: twice when guided. */
    private NDArray rows(TensorScope s, long[] tokens_B) {
        NDArray tokens = s.longs(tokens_B, tokens_B.length);
        return guidance.isOn() ? s.concatenate(0, tokens, tokens) : tokens;
    }

    /** {@code uncond + scale * (cond - uncond)}. */
    private NDArray guided(TensorScope s, NDArray logits_RV, int t) {
        if (!guidance.isOn()) {
            return logits_RV;
        }
        List<NDArray> halves = s.split(logits_RV, 0, 2);
        NDArray cond_BV = halves.get(0);
        NDArray uncond_BV = halves.get(1);
        double scale = guidance.at(t, model.config().tokens());
        return s.add(uncond_BV, s.affine(s.subtract(cond_BV, uncond_BV), scale, 0));
    }

    /**
     * The orders in which images are drawn: the same fixed one for all, or a random one each, as purely random-order
     * models want it.
     *
     * @param fixed the order to use; empty for random ones, which depend on the seed, an image's class and its index
     */
    public static long[][] orders(long seed, Request[] requests, RarConfig config, Optional<ScanOrder> fixed) {
        int tokens = config.tokens();
        return Arrays.stream(requests)
                .map(request -> fixed.map(order -> order.of(tokens))
                        .orElseGet(() -> RandomStream.of(seed, Purpose.SAMPLE_ORDER, request.label(), request.index())
                                .nextPermutation(tokens)))
                .map(order -> Arrays.stream(order).asLongStream().toArray())
                .toArray(long[][]::new);
    }
}
