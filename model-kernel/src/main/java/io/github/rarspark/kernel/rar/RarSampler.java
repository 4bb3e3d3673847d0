package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

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
        int images = requests.length;
        int tokens = model.config().tokens();
        double[][] uniforms = new double[tokens][images];
        for (int b = 0; b < images; b++) {
            RandomStream stream =
                    RandomStream.of(seed, Purpose.SAMPLE_TOKENS, requests[b].label(), requests[b].index());
            for (int t = 0; t < tokens; t++) {
                uniforms[t][b] = stream.nextDouble();
            }
        }
        int[] labels = Arrays.stream(requests).mapToInt(Request::label).toArray();
        long[][] drawn_TB = run(manager, labels, orders, (s, t, logits_BV) -> {
            NDArray probabilities_BV = s.softmax(s.affine(logits_BV, 1 / temperature, 0));
            return s.sampleCategories(probabilities_BV, s.doubles(uniforms[t], images));
        });
        long[][] raster = new long[images][tokens];
        for (int b = 0; b < images; b++) {
            for (int t = 0; t < tokens; t++) {
                raster[b][(int) orders[b][t]] = drawn_TB[t][b];
            }
        }
        return raster;
    }

    /**
     * Steps through the tokens, each chosen by {@code chooser} from the guided logits.
     *
     * @param labels {@code [B]} classes
     * @return {@code [T][B]} tokens in the order of prediction
     */
    public long[][] run(NDManager manager, int[] labels, long[][] orders, Chooser chooser) {
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
        long[][] chosen = new long[config.tokens()][];
        try (RarDecoder decoder = new RarDecoder(model, manager, conditions, rowOrders)) {
            for (int t = 0; t < config.tokens(); t++) {
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
        long images = logits_RV.getShape().get(0) / 2;
        NDArray cond_BV = s.narrow(logits_RV, 0, 0, images);
        NDArray uncond_BV = s.narrow(logits_RV, 0, images, images);
        double scale = guidance.at(t, model.config().tokens());
        return s.add(uncond_BV, s.affine(s.subtract(cond_BV, uncond_BV), scale, 0));
    }

    /** The order in which an image of a purely random-order model is drawn. */
    public static int[] randomOrder(long seed, Request request, int tokens) {
        return RandomStream.of(seed, Purpose.SAMPLE_ORDER, request.label(), request.index())
                .nextPermutation(tokens);
    }
}
