package io.github.rarspark.train.images;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizerSettings;
import io.github.rarspark.conf.TrainTokenizerSettings;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.Reconstruction;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.vqgan.VqganTrainer;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The job {@code train-tokenizer}: trains a small tokenizer on the driver and publishes {@code model.safetensors}. It
 * has no checkpoints: after an interruption, it starts over. Driver only.
 */
public final class TrainTokenizerJob {
    private final Recipe recipe;
    private final TrainTokenizerSettings settings;

    private TrainTokenizerJob(Recipe recipe) {
        this.recipe = recipe;
        this.settings = recipe.trainTokenizer();
    }

    /**
     * Trains with the settings of {@code recipe.trainTokenizer()}, or does nothing if the output is finished.
     *
     * @throws JobException if the images are missing, or the output belongs to another run
     */
    public static JobResult run(JobContext context) throws IOException {
        TrainTokenizerJob job = new TrainTokenizerJob(context.recipe());
        return ImageTraining.run(context, job.common(), images -> {}, job::train);
    }

    private ImageTraining.Settings common() {
        return new ImageTraining.Settings(
                "train-tokenizer",
                "tokenizer",
                settings.images(),
                settings.output(),
                settings.steps(),
                settings.threads(),
                settings.maxBad(),
                Labels.ANY);
    }

    private TrainedModel train(TrainingRun run) throws IOException {
        TokenizerSettings shape = recipe.tokenizer();
        VqganConfig config = new VqganConfig(
                shape.hiddenChannels(), shape.channelMult(), shape.resBlocks(), shape.zChannels(), shape.codes());
        VqganTrainer.Settings how = new VqganTrainer.Settings(
                settings.steps(),
                settings.batch(),
                settings.lr(),
                settings.commitment(),
                settings.restartEvery(),
                recipe.seed());
        String training = how + ", " + settings.threads() + " threads";
        List<RgbImage> images = run.data().images();
        try (VqganTrainer trainer = new VqganTrainer(run.manager(), config, how, images)) {
            VqganTrainer.Losses losses = null;
            while (trainer.steps() < settings.steps()) {
                losses = trainer.step();
                run.step(String.format(
                        Locale.ROOT,
                        "mean squared error %.5f, commitment %.5f",
                        losses.reconstruction(),
                        losses.commitment()));
            }
            Reconstruction quality =
                    Reconstruction.measure(trainer.vqgan(), TrainedModel.sample(images), settings.batch());
            return TrainedModel.of(
                    run,
                    config.metadata(),
                    trainer.vqgan().weights(),
                    training,
                    Map.of(
                            "psnr", quality.psnr(),
                            "codes_used", (double) quality.codesUsed(),
                            "commitment", losses.commitment()));
        }
    }
}
