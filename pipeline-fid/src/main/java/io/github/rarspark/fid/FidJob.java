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
import io.github.rarspark.kernel.metrics.FrechetDistance;
import io.github.rarspark.kernel.metrics.GaussianStatistics;
import io.github.rarspark.kernel.metrics.Moments;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/**
 * Scores images against a reference by a network's features: {@value #DISTANCE}, the Frechet distance (Heusel et al.,
 * 2017); {@value #FLOOR}, the distance between two random halves of the reference, which no samples are expected to go
 * below; {@value #AGREEMENT}, the share of samples whose class the network recognizes. The result does not depend on who
 * computed which part.
 */
public final class FidJob {
    /** The distance on a classifier's features; it is not comparable with FID. */
    public static final String DISTANCE = "fd";

    /** The distance between halves of the reference. */
    public static final String FLOOR = "fd_floor";

    /** The share of samples that the network gives the class they were made for. */
    public static final String AGREEMENT = "class_agreement";

    private static final String COMMAND = "fid";
    private static final String THREADS = "threads";
    private static final String BATCH = "batch";

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
        FeatureNetwork network = FeatureNetwork.of(storage, settings.features());
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
        Optional<OutputClaim> claimed = output.claim(plan(network, samples, reference));
        if (claimed.isEmpty()) {
            return RunOutput.readResult(storage, settings.output()).orElseThrow();
        }
        try (OutputClaim claim = claimed.get()) {
            try {
                JobResult result = score(claim.plan(), network, samples, reference, started);
                claim.finish(result);
                return result;
            } catch (IOException | RuntimeException e) {
                claim.fail(started, e);
                throw e;
            }
        }
    }

    private Plan plan(FeatureNetwork network, ImageSet samples, Reference reference) {
        return Plan.of(
                COMMAND,
                recipe.sha256(COMMAND),
                Map.of(
                        "samples", samples.sha256(),
                        "reference", reference.sha256(),
                        "features", network.weights().sha256()),
                Map.of(
                        BATCH, Integer.toString(recipe.fid().batch()),
                        THREADS, Integer.toString(recipe.fid().threads())));
    }

    private JobResult score(Plan plan, FeatureNetwork network, ImageSet samples, Reference reference, Instant started) {
        Map<String, Long> counts = new HashMap<>();
        Map<String, Double> metrics = new HashMap<>();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            GaussianStatistics expected;
            if (reference.images().isPresent()) {
                SetMoments moments =
                        moments(plan, network, "reference", reference.images().get(), halves());
                counts.put("reference", moments.all().count());
                expected = statistics(moments.all(), "--reference");
                if (recipe.fid().floor()) {
                    List<Moments> halves = moments.halves();
                    metrics.put(
                            FLOOR,
                            FrechetDistance.between(
                                    statistics(halves.get(0), "half of --reference"),
                                    statistics(halves.get(1), "half of --reference"),
                                    manager));
                }
            } else {
                expected = reference.statistics().orElseThrow();
            }
            SetMoments moments = moments(plan, network, "samples", samples, 1);
            counts.put("samples", moments.all().count());
            GaussianStatistics actual = statistics(moments.all(), "--samples");
            metrics.put(DISTANCE, FrechetDistance.between(actual, expected, manager));
            if (moments.labelled() > 0) {
                metrics.put(AGREEMENT, (double) moments.agreeing() / moments.labelled());
            }
        }
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        return JobResult.done(plan, started, seconds, counts, metrics, warnings(network, counts));
    }

    private int halves() {
        return recipe.fid().floor() ? 2 : 1;
    }

    private SetMoments moments(Plan plan, FeatureNetwork network, String what, ImageSet set, int halves) {
        PartTask task = new PartTask(storage, network, plan.unit(BATCH), plan.unit(THREADS), halves, recipe.seed());
        return SetMoments.compute(session, what, set, task, quiet);
    }

    private static GaussianStatistics statistics(Moments moments, String what) {
        if (moments.count() < 2) {
            throw new DataException(
                    "Cannot score " + what + ": " + moments.count() + " images have no covariance; give two or more");
        }
        return moments.statistics();
    }

    private static List<String> warnings(FeatureNetwork network, Map<String, Long> counts) {
        List<String> warnings = new ArrayList<>();
        warnings.add(DISTANCE + " is the Frechet distance on features of the " + network.name()
                + "; it is not comparable with FID");
        counts.forEach((set, images) -> {
            if (images <= network.width()) {
                warnings.add("the covariance of " + images + " " + set + " images and " + network.width()
                        + " features has no full rank; give more images");
            }
        });
        return warnings;
    }
}
