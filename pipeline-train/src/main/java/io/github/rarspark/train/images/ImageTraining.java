package io.github.rarspark.train.images;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What the jobs that train a small model on the driver have in common. They have no checkpoints; run again after an
 * interruption, they start over.
 *
 * @param command the job's name, such as {@code train-tokenizer} for the recipe's section {@code train_tokenizer}
 * @param network the recipe's section with the shape of the network
 * @param images where the training images are
 * @param output where the model goes
 * @param steps updates to make
 * @param threads threads of the tensor library
 */
record ImageTraining(String command, String network, String images, String output, int steps, int threads) {
    /**
     * What a model is trained with.
     *
     * @param claim the right to publish it
     * @param started when the job began
     * @param data the images
     * @param manager owner of its tensors
     * @param progress to be told of each step
     */
    record Run(OutputClaim claim, Instant started, LabelledImages data, NDManager manager, Progress progress) {}

    /** Trains a model and publishes it. */
    @FunctionalInterface
    interface Body {
        /** The result, after {@link TrainedModel#publish}. */
        JobResult train(Run run) throws IOException;
    }

    /**
     * Trains, or does nothing if the output is finished. The images are listed and checked before the output is claimed,
     * and read afterwards.
     *
     * @param check throws if the listing shows that the model cannot be trained on it
     * @throws io.github.rarspark.common.JobException if the images are missing, or the output is another's
     */
    JobResult run(Storage storage, Recipe recipe, boolean quiet, Consumer<ImageSource> check, Body body)
            throws IOException {
        Instant started = Instant.now();
        String section = command.replace('-', '_');
        recipe.requireGiven(command, section + ".images", section + ".output");
        PreFlight.requireInput(storage, "--images", images);
        PreFlight.requireApart(storage, "--images", images, output);
        ImageSource source = ImageSource.open(storage, "--images", images);
        check.accept(source);
        Plan plan =
                Plan.of(command, recipe.sha256("image", network, section), Map.of("images", source.sha256()), Map.of());
        return new RunOutput(storage, output).run(plan, started, claim -> {
            storage.putString(claim.path("recipe.yaml"), recipe.toYaml());
            LabelledImages data =
                    LabelledImages.read(storage, source, recipe.image().size());
            Torch.setIntraOpThreads(threads);
            try (NDManager manager = NDManager.newBaseManager();
                    Progress progress = Progress.start(command, "steps", steps, quiet)) {
                return body.train(new Run(claim, started, data, manager, progress));
            }
        });
    }
}
