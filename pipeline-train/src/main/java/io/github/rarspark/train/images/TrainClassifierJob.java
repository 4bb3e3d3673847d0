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
import io.github.rarspark.conf.TrainClassifierSettings;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.classifier.ClassifierTrainer;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/**
 * The job {@code train-classifier}: trains a small classifier on the driver and publishes {@code model.safetensors}. It
 * has no checkpoints; run again after an interruption, it starts over. Driver only.
 */
public final class TrainClassifierJob {
    private final Recipe recipe;
    private final TrainClassifierSettings settings;
    private final Storage storage;
    private final boolean quiet;

    /** A job for {@code recipe.trainClassifier()}, whose {@code images} and {@code output} have to be given. */
    public TrainClassifierJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.recipe = recipe;
        this.settings = recipe.trainClassifier();
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    /**
     * Trains, or does nothing if the output is finished.
     *
     * @throws JobException if the images are missing, or the output is another's
     */
    public JobResult run() throws IOException {
        recipe.requireGiven("train-classifier", "train_classifier.images", "train_classifier.output");
        Instant started = Instant.now();
        PreFlight.requireInput(storage, "--images", settings.images());
        PreFlight.requireApart(storage, "--images", settings.images(), settings.output());
        LabelledImages data =
                LabelledImages.read(storage, settings.images(), recipe.image().size());
        Plan plan = Plan.of(
                "train-classifier",
                recipe.sha256("image", "model", "train_classifier"),
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
        ClassifierConfig config =
                ClassifierConfig.small(recipe.image().size(), recipe.model().classes());
        ClassifierTrainer.Settings how =
                new ClassifierTrainer.Settings(settings.steps(), settings.batch(), settings.lr(), recipe.seed());
        String training = how + ", " + settings.threads() + " threads";
        Torch.setIntraOpThreads(settings.threads());
        try (NDManager manager = NDManager.newBaseManager();
                ClassifierTrainer trainer = new ClassifierTrainer(manager, config, how, data.images(), data.labels());
                Progress progress = Progress.start("train-classifier", "steps", settings.steps(), quiet)) {
            double loss = 0;
            while (trainer.steps() < settings.steps()) {
                loss = trainer.step();
                progress.note(String.format(Locale.ROOT, "loss %.4f", loss));
                progress.step(1);
            }
            double accuracy =
                    trainer.classifier().accuracy(TrainedModel.sample(data.images()), data.labels(), settings.batch());
            return new TrainedModel(config.metadata(), trainer.classifier().weights(), training, settings.steps(), data)
                    .publish(claim, started, Map.of("loss", loss, "training_accuracy", accuracy));
        }
    }
}
