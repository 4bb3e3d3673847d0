package io.github.rarspark.fid;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.FidSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/**
 * Scores images against a reference by a network's features. With Inception v3 these are the metrics of published tables:
 * {@value #FID} (Heusel et al., 2017), {@value #SFID} (Nash et al., 2021), {@value #INCEPTION_SCORE} (Salimans et al.,
 * 2016), {@value #PRECISION} and {@value #RECALL} (Kynkaanniemi et al., 2019), {@value #KID} (Binkowski et al., 2018);
 * with a classifier {@value #DISTANCE}, the Frechet distance, and {@value #AGREEMENT}. {@value #FID_FLOOR} and {@value
 * #FLOOR} are the distance between two random halves of the reference, which no samples are expected to go below. The
 * result does not depend on who computed which part.
 */
public final class FidJob {
    /** The Frechet distance on Inception's features. */
    public static final String FID = "fid";

    /** The Frechet distance on Inception's spatial features. */
    public static final String SFID = "sfid";

    /** The Inception Score. */
    public static final String INCEPTION_SCORE = "inception_score";

    /** The share of samples like some image of the reference. */
    public static final String PRECISION = "precision";

    /** The share of the reference like some sample. */
    public static final String RECALL = "recall";

    /** The kernel distance, mean over subsets. */
    public static final String KID = "kid";

    /** The deviation of the kernel distance over subsets. */
    public static final String KID_DEVIATION = "kid_deviation";

    /** The FID between halves of the reference. */
    public static final String FID_FLOOR = "fid_floor";

    /** The distance on a classifier's features; it is not comparable with FID. */
    public static final String DISTANCE = "fd";

    /** The distance between halves of the reference, on a classifier's features. */
    public static final String FLOOR = "fd_floor";

    /** The share of samples that the network gives the class they were made for. */
    public static final String AGREEMENT = "class_agreement";

    private static final String COMMAND = "fid";
    private static final String THREADS = "threads";
    private static final String BATCH = "batch";
    private static final String FEATURES = "features";

    private final SparkSession session;
    private final Recipe recipe;
    private final Storage storage;
    private final boolean quiet;

    private FidJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.session = session;
        this.recipe = recipe;
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    /**
     * Scores what the recipe's section {@code fid} names; does nothing if that is done.
     *
     * @param quiet whether to show no progress
     * @throws JobException if an input is missing, the features are of no known kind or the output is another's
     * @throws DataException if an input cannot be read as images of the network's size
     */
    public static JobResult run(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        return new FidJob(session, recipe, quiet).run();
    }

    private JobResult run() throws IOException {
        Instant started = Instant.now();
        FidSettings settings = recipe.fid();
        recipe.requireGiven(COMMAND, "fid.samples", "fid.reference", "fid.features", "fid.output");
        FeatureNetwork network = FeatureNetwork.of(storage, settings.features(), settings.imageSize());
        PreFlight.requireApart(storage, "--samples", settings.samples(), settings.output());
        PreFlight.requireApart(storage, "--reference", settings.reference(), settings.output());
        ImageSet samples = ImageSet.open(storage, "--samples", settings.samples(), network.side());
        Reference reference = Reference.open(storage, "--reference", settings.reference(), network);
        if (settings.floor() && reference.images().isEmpty()) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot use fid.floor with --reference " + settings.reference()
                            + ": it has statistics and no images to divide; give images, or leave fid.floor out");
        }
        RunOutput output = new RunOutput(storage, storage.qualify(settings.output()));
        return output.run(
                plan(network, samples, reference),
                started,
                claim -> score(claim, network, samples, reference, started));
    }

    private Plan plan(FeatureNetwork network, ImageSet samples, Reference reference) {
        return Plan.of(
                COMMAND,
                recipe.sha256(COMMAND),
                Map.of(
                        "samples",
                        samples.sha256(),
                        "reference",
                        reference.sha256(),
                        FEATURES,
                        network.weights().sha256()),
                Map.of(
                        BATCH, Integer.toString(recipe.fid().batch()),
                        THREADS, Integer.toString(recipe.fid().threads())));
    }

    private JobResult score(
            OutputClaim claim, FeatureNetwork network, ImageSet samples, Reference reference, Instant started)
            throws IOException {
        Plan plan = claim.plan();
        String cache = recipe.fid().cache();
        FeatureStore store = new FeatureStore(
                session,
                storage,
                cache.isEmpty() ? claim.path(FEATURES) : storage.qualify(cache),
                network,
                plan.unit(BATCH),
                plan.unit(THREADS),
                quiet);
        Map<String, Long> counts = new TreeMap<>();
        Map<String, Double> metrics;
        List<String> warnings;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                SetFeatures actual = features(store, "samples", samples, counts, manager);
                SetFeatures expected = reference.images().isEmpty()
                        ? null
                        : features(store, "reference", reference.images().get(), counts, manager)) {
            Scores scores = new Scores(recipe.fid(), recipe.seed(), manager);
            Optional<SetFeatures> images = Optional.ofNullable(expected);
            metrics = switch (network.kind()) {
                case CLASSIFIER -> scores.ofClassifier(actual, reference, images);
                case INCEPTION -> scores.ofInception(actual, reference, images);
            };
            warnings = Warnings.of(network, reference, actual, images);
        }
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        return JobResult.done(plan, started, seconds, counts, metrics, warnings);
    }

    private SetFeatures features(
            FeatureStore store, String what, ImageSet set, Map<String, Long> counts, NDManager manager)
            throws IOException {
        FeatureStore.Features features = store.compute(what, set);
        counts.put(what, features.images());
        counts.put(what + "_known", features.known());
        return SetFeatures.read("--" + what, store, features, recipe.fid().splitImages(), recipe.seed(), manager);
    }
}
