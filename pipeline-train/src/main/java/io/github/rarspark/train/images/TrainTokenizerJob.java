package io.github.rarspark.train.images;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizerSettings;
import io.github.rarspark.conf.TrainTokenizerSettings;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.vqgan.Reconstruction;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.vqgan.VqganTrainer;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
        recipe.requireGiven("train-tokenizer", "train_tokenizer.images", "train_tokenizer.output");
        Instant started = Instant.now();
        PreFlight.requireInput(storage, "--images", settings.images());
        PreFlight.requireApart(storage, "--images", settings.images(), settings.output());
        LabelledImages data =
                LabelledImages.read(storage, settings.images(), recipe.image().size());
        Plan plan = Plan.of(
                "train-tokenizer",
                recipe.sha256("image", "tokenizer", "train_tokenizer"),
                Map.of("images", data.sha256()),
                Map.of());
        Optional<OutputClaim> claimed = new RunOutput(storage, settings.output()).claim(plan);
        if (claimed.isEmpty()) {
            return storage.readJson(Storage.child(settings.output(), JobResult.NAME), JobResult.class);
        }
        try (OutputClaim claim = claimed.get()) {
            storage.putString(claim.path("recipe.yaml"), recipe.toYaml());
            return train(claim, data, started);
        }
    }

    private JobResult train(OutputClaim claim, LabelledImages data, Instant started) throws IOException {
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
        Torch.setIntraOpThreads(settings.threads());
        try (NDManager manager = NDManager.newBaseManager();
                VqganTrainer trainer = new VqganTrainer(manager, config, how, data.images());
                Progress progress = Progress.start("train-tokenizer", "steps", settings.steps(), quiet)) {
            VqganTrainer.Losses losses = null;
            while (trainer.steps() < settings.steps()) {
                losses = trainer.step();
                progress.note(String.format(
                        Locale.ROOT,
                        "mean squared error %.5f, commitment %.5f",
                        losses.reconstruction(),
                        losses.commitment()));
                progress.step(1);
            }
            Reconstruction quality =
                    Reconstruction.measure(trainer.vqgan(), TrainedModel.sample(data.images()), settings.batch());
            return new TrainedModel(config.metadata(), trainer.vqgan().weights(), training, settings.steps(), data)
                    .publish(
                            claim,
                            started,
                            Map.of(
                                    "psnr", quality.psnr(),
                                    "codes_used", (double) quality.codesUsed(),
                                    "commitment", losses.commitment()));
        }
    }
}
