package io.github.rarspark.cli.sweep;

import io.github.rarspark.cli.scored.ScoredSet;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The job {@code generate --sweep}: generates and scores a set of images for each point, one after the other, and writes
 * a table and a page. Both parts of a point are jobs that do nothing if they are finished, so running an interrupted
 * sweep again resumes it. Driver only.
 */
public final class SweepJob implements Job<List<ScoredSet>> {
    private static final String COMMAND = "generate " + Sweep.OPTION;

    private final JobContext context;
    private final Sweep sweep;
    private final SweepLayout layout;
    private final Map<String, String> inputs;

    private SweepJob(JobContext context, Sweep sweep, SweepLayout layout, Map<String, String> inputs) {
        this.context = context;
        this.sweep = sweep;
        this.layout = layout;
        this.inputs = inputs;
    }

    /**
     * Runs a sweep into {@code generate.output} of the context's recipe; does nothing if it is finished.
     *
     * @throws io.github.rarspark.common.JobException if an input is missing or the output belongs to another run
     * @throws io.github.rarspark.kernel.error.DataException if an input cannot be used
     */
    public static JobResult run(JobContext context, Sweep sweep) throws IOException {
        return JobRunner.run(context, given -> open(given, sweep));
    }

    /** The table of a finished sweep, as lines for a terminal; none if its scores were deleted since. */
    public static String table(JobContext context, Sweep sweep) throws IOException {
        SweepLayout layout = layout(context, sweep);
        List<JobResult> scores = new ArrayList<>();
        for (Sweep.Point point : sweep.points()) {
            Optional<JobResult> score = RunOutput.readResult(context.storage(), layout.score(point));
            if (score.isEmpty()) {
                return "";
            }
            scores.add(score.get());
        }
        return SweepTable.of(sweep, scores).text();
    }

    private static SweepLayout layout(JobContext context, Sweep sweep) throws IOException {
        return new SweepLayout(
                context.storage().qualify(context.recipe().generate().output()), sweep);
    }

    private static SweepJob open(JobContext context, Sweep sweep) throws IOException {
        SweepLayout layout = layout(context, sweep);
        // What cannot be sampled or scored is found before the first image is made.
        List<Recipe> points = sweep.points().stream().map(layout::recipe).toList();
        Map<String, String> inputs = new TreeMap<>(GenerateJob.inputs(context, points));
        inputs.putAll(FidJob.inputs(
                context.with(points.get(0)), context.recipe().image().size()));
        sweep.axes()
                .forEach(axis -> inputs.put(Sweep.OPTION + " " + axis.key().name(), String.join(",", axis.values())));
        return new SweepJob(context, sweep, layout, inputs);
    }

    @Override
    public String output() {
        return layout.output();
    }

    @Override
    public Plan plan() {
        // The first point's settings, because what the recipe has instead of the swept values alters nothing.
        Recipe first = sweep.points().get(0).recipe();
        return Plan.of(
                COMMAND, first.resultSettings("tokenizer", "model", "generate", "fid", "compute"), inputs, Map.of());
    }

    @Override
    public List<ScoredSet> runMissing(OutputClaim claim) throws IOException {
        List<ScoredSet> sets = new ArrayList<>();
        for (Sweep.Point point : sweep.points()) {
            claim.endIfStopped();
            context.say(
                    "point " + (sets.size() + 1) + " of " + sweep.points().size() + ": " + sweep.label(point, 0, ", "));
            sets.add(ScoredSet.make(context.with(layout.recipe(point))));
        }
        return sets;
    }

    @Override
    public Outcome commit(OutputClaim claim, List<ScoredSet> sets) throws IOException {
        SweepTable table =
                SweepTable.of(sweep, sets.stream().map(ScoredSet::score).toList());
        List<String> warnings = sets.stream()
                .flatMap(set -> Stream.of(set.samples(), set.score()))
                .flatMap(result -> result.warnings().stream())
                .distinct()
                .toList();
        Recipe first = layout.recipe(sweep.points().get(0));
        String page = SweepPage.html(table, layout, first, warnings, context.storage());
        claim.publish(SweepLayout.TABLE, out -> out.write(table.csv().getBytes(StandardCharsets.UTF_8)));
        claim.publish(SweepLayout.PAGE, out -> out.write(page.getBytes(StandardCharsets.UTF_8)));
        Map<String, Double> best = new TreeMap<>();
        table.metrics().forEach(metric -> table.best(metric).ifPresent(value -> best.put("best_" + metric, value)));
        return Outcome.of(
                Map.of(
                        "points",
                        (long) table.rows().size(),
                        "images",
                        table.rows().stream().mapToLong(SweepTable.Row::images).sum()),
                best,
                warnings);
    }
}
