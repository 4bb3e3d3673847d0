package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.image.ImageBatches;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a small tokenizer: squared error of the reconstruction plus commitment loss, straight-through gradients, a
 * codebook learned by exponential averaging (van den Oord et al., 2017). The first updates train encoder and decoder
 * without a codebook, which is then initialized by k-means on the encoder's outputs.
 *
 * <p>B batch, C channels, H height, W width, T tokens, Z channels of a latent, R rows (all latents of a batch).
 */
public final class VqganTrainer implements AutoCloseable {
    /**
     * Training settings.
     *
     * @param steps total number of updates
     * @param batch images per update
     * @param learningRate the peak, reached after a fortieth of the steps and followed by cosine decay
     * @param commitment weight of the commitment loss relative to the reconstruction loss
     * @param restartEvery updates after which an unused code is restarted; 0 for never
     * @param seed of every random number
     */
    public record Settings(int steps, int batch, double learningRate, double commitment, int restartEvery, long seed) {}

    /**
     * The losses of an update, measured before it is applied.
     *
     * @param step the update, counted from 0
     * @param reconstruction mean squared error of pixels in [0, 1], not clamped
     * @param commitment mean squared distance of latents and codes; 0 until the codebook is initialized
     * @param restarted number of restarted codes
     */
    public record Losses(long step, double reconstruction, double commitment, int restarted) {}

    private static final int KMEANS_BATCHES = 4;
    private static final AdamW.Settings OPTIMIZER = new AdamW.Settings(0.9, 0.99, 1e-8, 0, 1.0);
    /** Divides the reconstruction loss, so that it is of order 1; close to the variance of pixels in [0, 1]. */
    private static final double PIXEL_VARIANCE = 0.1;

    private final Settings settings;
    private final ImageBatches batches;
    private final NamedTensors weights;
    private final Vqgan vqgan;
    private final AdamW optimizer;
    private final OptimizerStep optimizerStep;
    private final CodebookLearner codebook;
    private final long autoencoderSteps;
    private long step;

    /**
     * Creates a trainer with weights drawn from the seed.
     *
     * @param images the training images, of one size
     */
    public VqganTrainer(NDManager parent, VqganConfig config, Settings settings, List<RgbImage> images) {
        this.settings = settings;
        this.batches = new ImageBatches(images, settings.batch(), settings.seed());
        this.weights = NamedTensors.initial(config.table(), settings.seed(), parent);
        this.vqgan = new Vqgan(config, weights);
        Map<String, NDArray> trained = new LinkedHashMap<>(weights.asMap());
        trained.remove("quantize.embedding.weight");
        TensorScope.requireGradients(trained.values());
        this.optimizer = new AdamW(weights.manager(), trained, name -> false, OPTIMIZER);
        this.optimizerStep = new OptimizerStep(
                optimizer, new LearningRate(settings.learningRate(), 0, settings.steps() / 40, settings.steps()));
        this.codebook = new CodebookLearner(config.codes(), config.zChannels());
        this.autoencoderSteps = settings.steps() / 40;
    }

    /** Makes one update and returns its losses. */
    public Losses step() {
        try (TensorScope scope = TensorScope.training(weights.manager())) {
            if (step == autoencoderSteps) {
                startCodebook();
            }
            NDArray x_BCHW = batch(scope, step);
            NDArray z_BZHW = vqgan.latents(scope, x_BCHW);
            Losses losses =
                    step < autoencoderSteps ? reconstruct(scope, x_BCHW, z_BZHW) : quantize(scope, x_BCHW, z_BZHW);
            optimizerStep.run();
            step++;
            return losses;
        }
    }

    private Losses reconstruct(TensorScope scope, NDArray x_BCHW, NDArray z_BZHW) {
        NDArray error = meanSquare(scope, scope.subtract(vqgan.decodeUnclamped(scope, z_BZHW), x_BCHW));
        scope.backward(scope.affine(error, 1 / PIXEL_VARIANCE, 0));
        return new Losses(step, finite(error), 0, 0);
    }

    private Losses quantize(TensorScope scope, NDArray x_BCHW, NDArray z_BZHW) {
        NDArray frozen_BZHW = scope.detach(z_BZHW);
        NDArray tokens_BT = vqgan.nearest(scope, frozen_BZHW);
        NDArray codes_BZHW = vqgan.codes(scope, tokens_BT);
        // The decoder sees the codes; its gradient passes to the latents unchanged.
        NDArray through_BZHW = scope.add(z_BZHW, scope.subtract(codes_BZHW, frozen_BZHW));
        NDArray error = meanSquare(scope, scope.subtract(vqgan.decodeUnclamped(scope, through_BZHW), x_BCHW));
        NDArray commitment = meanSquare(scope, scope.subtract(z_BZHW, codes_BZHW));
        scope.backward(scope.add(
                scope.affine(error, 1 / PIXEL_VARIANCE, 0), scope.affine(commitment, settings.commitment(), 0)));
        int restarted = updateCodebook(rows(scope, frozen_BZHW), tokens_BT.toLongArray());
        return new Losses(step, finite(error), commitment.getFloat(), restarted);
    }

    private int updateCodebook(float[] latents, long[] tokens) {
        codebook.update(latents, tokens, step);
        int every = settings.restartEvery();
        boolean due = every > 0 && step % every == 0 && step < settings.steps() * 3L / 4;
        int restarted = due ? codebook.restart(latents, tokens, step - every, settings.seed(), step) : 0;
        storeCodebook();
        return restarted;
    }

    private void startCodebook() {
        int length = 0;
        float[][] parts = new float[KMEANS_BATCHES][];
        for (int part = 0; part < KMEANS_BATCHES; part++) {
            try (TensorScope scope = TensorScope.inference(weights.manager())) {
                parts[part] = rows(scope, vqgan.latents(scope, batch(scope, step + part)));
                length += parts[part].length;
            }
        }
        float[] latents = new float[length];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, latents, at, part.length);
            at += part.length;
        }
        codebook.start(latents, settings.seed(), step);
        storeCodebook();
    }

    private void storeCodebook() {
        try (TensorScope scope = TensorScope.inference(weights.manager())) {
            VqganConfig config = vqgan.config();
            scope.copy(
                    weights.get("quantize.embedding.weight"),
                    scope.floats(codebook.book(), config.codes(), config.zChannels()));
        }
    }

    private NDArray batch(TensorScope scope, long step) {
        return scope.floats(batches.pixels(step), batches.shape());
    }

    private float[] rows(TensorScope scope, NDArray z_BZHW) {
        return scope.reshape(scope.permute(z_BZHW, 0, 2, 3, 1), -1).toFloatArray();
    }

    private static NDArray meanSquare(TensorScope scope, NDArray difference) {
        return scope.mean(scope.multiply(difference, difference));
    }

    private double finite(NDArray loss) {
        double value = loss.getFloat();
        if (!Double.isFinite(value)) {
            throw new NumericException("The tokenizer's loss is " + value + " at step " + step);
        }
        return value;
    }

    /** The number of updates made so far. */
    public long steps() {
        return step;
    }

    /** The tokenizer as trained so far; owned by this trainer. */
    public Vqgan vqgan() {
        return vqgan;
    }

    @Override
    public void close() {
        optimizer.close();
        weights.close();
    }
}
