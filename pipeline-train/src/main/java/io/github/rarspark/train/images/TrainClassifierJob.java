package io.github.rarspark.train.images;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainClassifierSettings;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.classifier.ClassifierTrainer;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/**
 * The job {@code train-classifier}: trains a small classifier on the driver and publishes {@code model.safetensors}. It
 * has no checkpoints: after an interruption, it starts over. Driver only.
 */
public final class TrainClassifierJob {
    private final Recipe recipe;
    private final TrainClassifierSettings settings;

    private TrainClassifierJob(Recipe recipe) {
        this.recipe = recipe;
        this.settings = recipe.trainClassifier();
    }

    /**
     * Trains with the settings of {@code recipe.trainClassifier()}, or does nothing if the output is finished.
     *
     * @throws JobException if the images are missing, or the output belongs to another run
     * @throws DataException if their classes do not match the recipe
     */
    public static JobResult run(JobContext context) throws IOException {
        TrainClassifierJob job = new TrainClassifierJob(context.recipe());
        return ImageTraining.run(context, job.common(), job::requireClasses, job::train);
    }

    private ImageTraining.Settings common() {
        return new ImageTraining.Settings(
                "train-classifier",
                "model",
                settings.images(),
                settings.output(),
                settings.steps(),
                settings.threads(),
                settings.maxBad(),
                Labels.of(recipe.model().classes()));
    }

    private void requireClasses(ImageSource source) {
        source.requireClasses("--images", recipe.model().classes());
        int named = source.classNames().size();
        if (named > recipe.model().classes()) {
            throw new DataException("Cannot train on " + settings.images() + ": it has " + named
                    + " classes, and model.classes=" + recipe.model().classes() + "; set model.classes=" + named);
        }
    }

    private TrainedModel train(TrainingRun run) throws IOException {
        ClassifierConfig config =
                ClassifierConfig.small(recipe.image().size(), recipe.model().classes());
        ClassifierTrainer.Settings how =
                new ClassifierTrainer.Settings(settings.steps(), settings.batch(), settings.lr(), recipe.seed());
        String training = how + ", " + settings.threads() + " threads";
        LabelledImages data = run.data();
        try (ClassifierTrainer trainer =
                new ClassifierTrainer(run.manager(), config, how, data.images(), data.labels())) {
            double loss = 0;
            while (trainer.steps() < settings.steps()) {
                loss = trainer.step();
                run.step(String.format(Locale.ROOT, "loss %.4f", loss));
            }
            double accuracy =
                    trainer.classifier().accuracy(TrainedModel.sample(data.images()), data.labels(), settings.batch());
            return TrainedModel.of(
                    run,
                    config.metadata(),
                    trainer.classifier().weights(),
                    training,
                    Map.of("loss", loss, "training_accuracy", accuracy));
        }
    }
}
