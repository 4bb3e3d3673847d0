package io.github.rarspark.train;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.train.coordinator.CoordinatorClient;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One rank of a running training.
 *
 * @param assignment what all ranks have in common
 * @param group all ranks
 * @param manager parent of the rank's tensors
 * @param driver receives rank 0's reports
 * @param watch tells the driver how far the rank is
 */
record RankContext(
        RankAssignment assignment, ProcessGroup group, NDManager manager, CoordinatorClient driver, RankWatch watch) {
    private static final Logger LOG = LoggerFactory.getLogger(RankContext.class);

    Recipe recipe() {
        return assignment.recipe();
    }

    TrainSettings settings() {
        return assignment.recipe().train();
    }

    Storage storage() {
        return assignment.storage();
    }

    /** Rank 0 writes files and reports; the others only compute. */
    boolean isFirst() {
        return group.rank() == 0;
    }

    /** Logs a warning after {@code step} updates, here and on the driver. */
    void warn(long step, String message) throws IOException {
        LOG.warn(message);
        driver.send(new Report.Warning(group.rank(), step, message));
    }

    /** Reports to the driver; does nothing on ranks other than 0. */
    void report(Report report) throws IOException {
        if (isFirst()) {
            driver.send(report);
        }
    }
}
