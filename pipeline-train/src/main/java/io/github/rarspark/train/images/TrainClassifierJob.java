package io.github.rarspark.train.images;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainClassifierSettings;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.classifier.ClassifierTrainer;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
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
     * @throws DataException if they have more classes than the recipe
     */
    public JobResult run() throws IOException {
        ClassifierConfig config =
                ClassifierConfig.small(recipe.image().size(), recipe.model().classes());
        return new ImageTraining(
                        "train-classifier",
                        "model",
                        settings.images(),
                        settings.output(),
                        settings.steps(),
                        settings.threads())
                .run(storage, recipe, quiet, this::requireClasses, run -> train(config, run));
    }

    private void requireClasses(ImageSource source) {
        int named = source.classNames().size();
        if (named > recipe.model().classes()) {
            throw new DataException("Cannot train on " + settings.images() + ": it has " + named
                    + " classes, and model.classes=" + recipe.model().classes() + "; set model.classes=" + named);
        }
    }

    private JobResult train(ClassifierConfig config, ImageTraining.Run run) throws IOException {
        ClassifierTrainer.Settings how =
                new ClassifierTrainer.Settings(settings.steps(), settings.batch(), settings.lr(), recipe.seed());
        String training = how + ", " + settings.threads() + " threads";
        LabelledImages data = run.data();
        try (ClassifierTrainer trainer =
                new ClassifierTrainer(run.manager(), config, how, data.images(), data.labels())) {
            double loss = 0;
            while (trainer.steps() < settings.steps()) {
                loss = trainer.step();
                run.progress().note(String.format(Locale.ROOT, "loss %.4f", loss));
                run.progress().step(1);
            }
            double accuracy =
                    trainer.classifier().accuracy(TrainedModel.sample(data.images()), data.labels(), settings.batch());
            return new TrainedModel(config.metadata(), trainer.classifier().weights(), training, settings.steps())
                    .publish(run, Map.of("loss", loss, "training_accuracy", accuracy));
        }
    }
}
