package io.github.rarspark.train.images;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.conf.BadLimit;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.error.NumericException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A job that trains a small model on the driver and publishes {@code model.safetensors}. It has no checkpoints: after
 * an interruption, it starts over.
 *
 * @param context of the job
 * @param settings of the command
 * @param source the images, listed and not yet read
 * @param model the model to train
 */
record ImageTraining(JobContext context, Settings settings, ImageSource source, Model model)
        implements Job<ImageTraining.Trained> {
    /**
     * What the commands have in common.
     *
     * @param command the job's name, such as {@code train-tokenizer} for the recipe's section {@code train_tokenizer}
     * @param network the recipe's section with the shape of the network
     * @param images the location of the training images
     * @param output the output folder
     * @param steps updates to make
     * @param threads libtorch threads
     * @param maxBad how many images may be unusable
     * @param labels which labels an image may have
     */
    record Settings(
            String command,
            String network,
            String images,
            String output,
            int steps,
            int threads,
            BadLimit maxBad,
            Labels labels) {
        String section() {
            return command.replace('-', '_');
        }
    }

    /** A model and how it is trained. */
    @FunctionalInterface
    interface Model {
        /** Trains the model. */
        TrainedModel train(TrainingRun run) throws IOException;
    }

    /**
     * Trains, or does nothing if the output is finished. The images are listed and checked before the output is
     * claimed, and read afterwards.
     *
     * @param check throws if the listing shows that the model cannot be trained on it
     * @throws io.github.rarspark.common.JobException if the images are missing, or the output belongs to another run
     */
    static JobResult run(JobContext context, Settings settings, Consumer<ImageSource> check, Model model)
            throws IOException {
        return JobRunner.run(context, c -> open(c, settings, check, model));
    }

    private static ImageTraining open(JobContext context, Settings settings, Consumer<ImageSource> check, Model model)
            throws IOException {
        context.recipe()
                .requireGiven(settings.command(), settings.section() + ".images", settings.section() + ".output");
        PreFlight.requireInput(context.storage(), "--images", settings.images());
        PreFlight.requireApart(context.storage(), "--images", settings.images(), settings.output());
        ImageSource source = ImageSources.open(context.storage(), "--images", settings.images());
        check.accept(source);
        return new ImageTraining(context, settings, source, model);
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public boolean computesOnDriver() {
        return true;
    }

    @Override
    public Plan plan() {
        return Plan.of(
                settings.command(),
                context.recipe().resultSettings("image", settings.network(), settings.section(), "compute"),
                Map.of("images", source.sha256()),
                Map.of());
    }

    /**
     * What is to be published.
     *
     * @param quarantine the images that could not be used
     */
    record Trained(TrainedModel model, Quarantine quarantine) {}

    @Override
    public Trained runMissing(OutputClaim claim) throws IOException {
        context.storage().putString(claim.path("recipe.yaml"), context.recipe().toYaml());
        Quarantine quarantine = new Quarantine(
                claim.directory(),
                settings.command().replace("-", " a ") + " on " + settings.images(),
                settings.maxBad(),
                source.images());
        LabelledImages data = read(claim, quarantine);
        JobDevice device = JobDevice.ofDriver(context.recipe().compute());
        try (TaskDevice own = TaskDevice.openOnDriver(device, context.session().sparkContext(), settings.threads());
                NDManager manager = own.newManager();
                Progress progress = context.progress(settings.command(), "steps", settings.steps())) {
            return new Trained(
                    model.train(new TrainingRun(provenance(claim.plan()), data, manager, claim, progress)), quarantine);
        } catch (NativeMemoryException e) {
            throw e.lowering(settings.section() + ".batch");
        } catch (NumericException e) {
            throw e.advising("lower " + settings.section() + ".lr");
        }
    }

    private LabelledImages read(OutputClaim claim, Quarantine quarantine) throws IOException {
        int size = context.recipe().image().size();
        try {
            return LabelledImages.read(context.storage(), source, size, settings.labels(), quarantine);
        } catch (IOException | RuntimeException e) {
            quarantine.publishAfter(e, claim);
            throw e;
        }
    }

    private Map<String, String> provenance(Plan plan) {
        return Map.of(
                "command", plan.command(),
                "recipe_sha256", plan.recipeSha256(),
                "images_sha256", source.sha256(),
                "version", Version.CURRENT);
    }

    @Override
    public Outcome commit(OutputClaim claim, Trained trained) throws IOException {
        Quarantine quarantine = trained.quarantine();
        quarantine.publish(claim);
        claim.publish("model.safetensors", out -> out.write(trained.model().file()));
        Map<String, Long> counts = Map.of(
                "images", trained.model().images(),
                "steps", (long) settings.steps(),
                "bad", quarantine.bad(),
                "oriented", quarantine.oriented());
        List<String> warnings = Stream.of(source.warnings(), quarantine.warnings())
                .flatMap(List::stream)
                .toList();
        return Outcome.of(counts, trained.model().metrics(), warnings);
    }
}
