package io.github.rarspark.train.images;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
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
import org.apache.spark.sql.SparkSession;

/**
 * The job {@code train-tokenizer}: trains a small tokenizer on the driver and publishes {@code model.safetensors}. It has
 * no checkpoints; run again after an interruption, it starts over. Driver only.
 */
public final class TrainTokenizerJob {
    private final Recipe recipe;
    private final TrainTokenizerSettings settings;
    private final Storage storage;
    private final boolean quiet;

    /** A job for {@code recipe.trainTokenizer()}, whose {@code images} and {@code output} have to be given. */
    public TrainTokenizerJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.recipe = recipe;
        this.settings = recipe.trainTokenizer();
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    /**
     * Trains, or does nothing if the output is finished.
     *
     * @throws JobException if the images are missing, or the output is another's
     */
    public JobResult run() throws IOException {
        return new ImageTraining(
                        "train-tokenizer",
                        "tokenizer",
                        settings.images(),
                        settings.output(),
                        settings.steps(),
                        settings.threads())
                .run(storage, recipe, quiet, images -> {}, run -> train(run));
    }

    private JobResult train(ImageTraining.Run run) throws IOException {
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
                run.progress()
                        .note(String.format(
                                Locale.ROOT,
                                "mean squared error %.5f, commitment %.5f",
                                losses.reconstruction(),
                                losses.commitment()));
                run.progress().step(1);
            }
            Reconstruction quality =
                    Reconstruction.measure(trainer.vqgan(), TrainedModel.sample(images), settings.batch());
            return new TrainedModel(config.metadata(), trainer.vqgan().weights(), training, settings.steps())
                    .publish(
                            run,
                            Map.of(
                                    "psnr", quality.psnr(),
                                    "codes_used", (double) quality.codesUsed(),
                                    "commitment", losses.commitment()));
        }
    }
}
