package io.github.rarspark.fid;

import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.kernel.metrics.Moments;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/**
 * What is known about a whole set. The parts are combined in their order, whoever computed them and when.
 *
 * @param halves the moments of each half, or of all
 * @param labelled images with a class
 * @param agreeing those whose class is what the network says
 */
record SetMoments(List<Moments> halves, long labelled, long agreeing) {
    /** Enough for a task to be worth its start. */
    private static final int LEAST_IMAGES = 500;

    /** What all results of a set may take together; Spark's default limit for a stage is 1 GiB. */
    private static final long RESULT_BYTES = 256L << 20;

    /** Computes the moments of {@code set}. */
    static SetMoments compute(SparkSession session, String what, ImageSet set, PartTask task, boolean quiet) {
        List<ImageSet.Part> parts =
                set.parts(imagesPerPart(set.images(), task.network().width(), task.halves()));
        List<PartTask.Unit> units = new ArrayList<>();
        long first = 0;
        for (ImageSet.Part part : parts) {
            units.add(new PartTask.Unit(units.size(), first, part));
            first += part.images();
        }
        SortedMap<Integer, PartTask.Result> results = new TreeMap<>();
        SparkSessions.describe(session, "features of " + set.images() + " " + what + " in " + parts.size() + " parts");
        try (Progress progress = Progress.start(what, "images", set.images(), quiet)) {
            UnitTasks.run(session, units, task, result -> {
                results.put(result.number(), result);
                progress.step(parts.get(result.number()).images());
            });
        }
        return combine(results.values(), task);
    }

    static int imagesPerPart(long images, int width, int halves) {
        long bytes = (long) width * (width + 1) / 2 * Double.BYTES * halves;
        long parts = Math.max(1, RESULT_BYTES / bytes);
        return Math.toIntExact(Math.max(LEAST_IMAGES, (images + parts - 1) / parts));
    }

    private static SetMoments combine(Iterable<PartTask.Result> results, PartTask task) {
        List<Moments> halves = new ArrayList<>();
        for (int half = 0; half < task.halves(); half++) {
            halves.add(Moments.empty(task.network().width()));
        }
        long labelled = 0;
        long agreeing = 0;
        for (PartTask.Result result : results) {
            for (int half = 0; half < halves.size(); half++) {
                halves.get(half).add(result.moments().get(half));
            }
            labelled += result.labelled();
            agreeing += result.agreeing();
        }
        return new SetMoments(halves, labelled, agreeing);
    }

    /** The moments of the whole set. */
    Moments all() {
        Moments all = Moments.empty(halves.get(0).width());
        halves.forEach(all::add);
        return all;
    }
}
