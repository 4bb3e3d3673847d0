package io.github.rarspark.fid;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.FidSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Scores images against a reference by a network's features. With Inception v3 these are the metrics of published
 * tables: {@value #FID} (Heusel et al., 2017), {@value #SFID} (Nash et al., 2021), {@value #INCEPTION_SCORE} (Salimans
 * et al., 2016), {@value #PRECISION} and {@value #RECALL} (Kynkaanniemi et al., 2019), {@value #KID} (Binkowski et al.,
 * 2018); with a classifier {@value #DISTANCE}, the Frechet distance, and {@value #AGREEMENT}. {@value #FID_FLOOR} and
 * {@value #FLOOR} are the distance between two random halves of the reference, a practical lower bound for samples. The
 * result does not depend on which executor computed which part.
 */
public final class FidJob implements Job<FidJob.Computed> {
    private static final String COMMAND = "fid";
    private static final String THREADS = "threads";
    private static final String BATCH = "batch";
    private static final String FEATURES = "features";

    private final JobContext context;
    private final Recipe recipe;
    private final FeatureNetwork network;
    private final ImageSource samples;
    private final Reference reference;

    private FidJob(JobContext context, FeatureNetwork network, ImageSource samples, Reference reference) {
        this.context = context;
        this.recipe = context.recipe();
        this.network = network;
        this.samples = samples;
        this.reference = reference;
    }

    /**
     * Scores the images of the recipe's section {@code fid}; does nothing if the output is finished.
     *
     * @throws JobException if an input is missing, the kind of network is unknown or the output belongs to another run
     * @throws DataException if an input cannot be read as images of the network's size
     */
    public static JobResult run(JobContext context) throws IOException {
        return JobRunner.run(context, FidJob::open);
    }

    static FidJob open(JobContext context) throws IOException {
        Storage storage = context.storage();
        FidSettings settings = context.recipe().fid();
        context.recipe().requireGiven(COMMAND, "fid.samples", "fid.reference", "fid.features", "fid.output");
        FeatureNetwork network = FeatureNetwork.of(storage, settings.features(), settings.imageSize());
        PreFlight.requireApart(storage, "--samples", settings.samples(), settings.output());
        PreFlight.requireApart(storage, "--reference", settings.reference(), settings.output());
        ImageSource samples = ComparedImages.open(context, "--samples", settings.samples(), network.side());
        if (network.kind() == FeatureNetwork.Kind.CLASSIFIER) {
            // Only a classifier's classes are compared with those of the samples.
            samples.requireClassesOf("--samples", "--features " + settings.features(), network.classes());
        }
        return new FidJob(context, network, samples, reference(context, network));
    }

    /**
     * The inputs that the plan of {@link #run} would name, but for samples, which need not exist yet; checks and opens
     * them.
     *
     * @param side of the samples in pixels
     * @throws JobException if an input is missing or the kind of network is unknown
     * @throws DataException if an input cannot be read, or the network's images have another side
     */
    public static Map<String, String> inputs(JobContext context, int side) throws IOException {
        FidSettings settings = context.recipe().fid();
        context.recipe().requireGiven(COMMAND, "fid.reference", "fid.features");
        FeatureNetwork network = FeatureNetwork.of(context.storage(), settings.features(), settings.imageSize());
        if (network.side() != side) {
            throw new DataException("Cannot score images of " + side + " pixels with --features " + settings.features()
                    + ": that network takes images of " + network.side() + " pixels");
        }
        return inputs(network, reference(context, network));
    }

    private static Map<String, String> inputs(FeatureNetwork network, Reference reference) {
        return Map.of(
                "reference", reference.sha256(), FEATURES, network.weights().sha256());
    }

    private static Reference reference(JobContext context, FeatureNetwork network) throws IOException {
        FidSettings settings = context.recipe().fid();
        Reference reference = Reference.open(context, "--reference", settings.reference(), network);
        if (settings.floor() && reference.images().isEmpty()) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot use fid.floor with --reference " + settings.reference()
                            + ": it has statistics but no images to split; give images or omit fid.floor");
        }
        return reference;
    }

    @Override
    public String output() {
        return recipe.fid().output();
    }

    @Override
    public Plan plan() {
        Map<String, String> inputs = new TreeMap<>(inputs(network, reference));
        inputs.put("samples", samples.sha256());
        return Plan.of(
                COMMAND,
                recipe.resultSettings(COMMAND, "compute"),
                inputs,
                Map.of(
                        BATCH, Integer.toString(recipe.fid().batch()),
                        THREADS, Integer.toString(recipe.fid().threads())));
    }

    /**
     * The features of both sets, as shards.
     *
     * @param reference empty if the reference has statistics only
     * @param quarantine the images that could not be used
     */
    record Computed(
            FeatureStore store,
            FeatureStore.Features samples,
            Optional<FeatureStore.Features> reference,
            Quarantine quarantine) {}

    @Override
    public Computed runMissing(OutputClaim claim) throws IOException {
        String cache = recipe.fid().cache();
        FeatureStore store = new FeatureStore(
                context,
                cache.isEmpty() ? claim.path(FEATURES) : context.storage().qualify(cache),
                network,
                claim.plan().unit(BATCH),
                claim.plan().unit(THREADS));
        Quarantine quarantine = new Quarantine(
                claim.directory(),
                "score " + recipe.fid().samples() + " against " + recipe.fid().reference(),
                recipe.fid().maxBad(),
                images());
        try {
            FeatureStore.Features ofSamples = store.compute("samples", samples, quarantine);
            Optional<FeatureStore.Features> ofReference = reference.images().isEmpty()
                    ? Optional.empty()
                    : Optional.of(store.compute("reference", reference.images().get(), quarantine));
            quarantine.requireFew(ofSamples.images()
                    + ofReference.map(FeatureStore.Features::images).orElse(0L)
                    + quarantine.bad());
            return new Computed(store, ofSamples, ofReference, quarantine);
        } catch (Exception e) { // Spark throws checked exceptions that it does not declare
            quarantine.publishAfter(e, claim);
            throw e;
        }
    }

    /** The number of images of both sets; empty if only reading them tells. */
    private OptionalLong images() {
        OptionalLong ofReference = reference.images().map(ImageSource::images).orElse(OptionalLong.of(0));
        return samples.images().isEmpty() || ofReference.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(samples.images().getAsLong() + ofReference.getAsLong());
    }

    @Override
    public Outcome commit(OutputClaim claim, Computed computed) throws IOException {
        computed.quarantine().publish(claim);
        Map<String, Long> counts = new TreeMap<>();
        counts.put("bad", computed.quarantine().bad());
        counts.put("oriented", computed.quarantine().oriented());
        count("samples", computed.samples(), counts);
        computed.reference().ifPresent(features -> count("reference", features, counts));
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                SetFeatures actual = read(claim, "--samples", computed.store(), computed.samples(), manager);
                SetFeatures expected = computed.reference().isEmpty()
                        ? null
                        : read(
                                claim,
                                "--reference",
                                computed.store(),
                                computed.reference().get(),
                                manager)) {
            Scores scores = new Scores(recipe.fid(), recipe.seed(), manager, claim::endIfStopped);
            Optional<SetFeatures> images = Optional.ofNullable(expected);
            Map<String, Double> metrics =
                    switch (network.kind()) {
                        case CLASSIFIER -> scores.ofClassifier(actual, reference, images);
                        case INCEPTION -> scores.ofInception(actual, reference, images);
                    };
            List<String> warnings = new ArrayList<>(Warnings.of(network, reference, actual, images));
            warnings.addAll(samples.warnings());
            reference.images().ifPresent(set -> warnings.addAll(set.warnings()));
            warnings.addAll(computed.quarantine().warnings());
            return Outcome.of(counts, metrics, warnings);
        }
    }

    private static void count(String what, FeatureStore.Features features, Map<String, Long> counts) {
        counts.put(what, features.images());
        counts.put(what + "_known", features.known());
    }

    private SetFeatures read(
            OutputClaim claim, String option, FeatureStore store, FeatureStore.Features features, NDManager manager)
            throws IOException {
        claim.endIfStopped();
        return SetFeatures.read(option, store, features, recipe.fid().splitImages(), recipe.seed(), manager);
    }
}
