package io.github.rarspark.common.images;

import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/**
 * Runs the parts of a listing.
 *
 * @param session whose tasks run them; without one, this thread does
 */
record ListingTasks(Optional<SparkSession> session) {
    private static final int MOST_TASKS = 256;

    /**
     * Divides {@code items} into groups of consecutive ones; the results of these, in their order.
     *
     * @param sentence says what the work does, such as {@code list DIR}
     */
    <T, R> List<R> map(String sentence, List<T> items, UnitTasks.Work<ArrayList<T>, R> work) throws IOException {
        List<ArrayList<T>> groups = groups(items);
        if (session.isPresent()) {
            SparkSessions.describe(session.get(), sentence);
            return UnitTasks.map(session.get(), groups, work);
        }
        List<R> results = new ArrayList<>();
        for (ArrayList<T> group : groups) {
            results.add(work.run(group));
        }
        return results;
    }

    private static <T> List<ArrayList<T>> groups(List<T> items) {
        int size = Math.max(1, (items.size() + MOST_TASKS - 1) / MOST_TASKS);
        List<ArrayList<T>> groups = new ArrayList<>();
        for (int i = 0; i < items.size(); i += size) {
            groups.add(new ArrayList<>(items.subList(i, Math.min(items.size(), i + size))));
        }
        return groups;
    }
}
