package io.github.rarspark.common.shard;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.SparkSession;

/**
 * Shards that are no longer those of their receipts. On an object store a task that comes late, of this attempt or an
 * earlier one, may replace a shard after its receipt was given. Driver only.
 */
public final class ReplacedShards {
    private ReplacedShards() {}

    /**
     * Makes sure that what a manifest is about to list is there. Has tasks read the shards whole, unless the storage
     * replaces none.
     *
     * @param receipts of shards in the output of {@code claim}
     * @throws JobException {@link ExitCode#TEMPORARY} if a shard is another: the next attempt takes it as it is
     */
    public static void requireNone(SparkSession session, OutputClaim claim, Collection<ShardReceipt> receipts)
            throws IOException {
        Storage storage = claim.storage();
        String directory = claim.directory();
        if (storage.createsExclusively(directory)) {
            return;
        }
        SparkSessions.describe(session, "check " + receipts.size() + " shards in " + directory + " before they count");
        Set<String> replaced = new TreeSet<>();
        UnitTasks.run(
                session,
                List.copyOf(receipts),
                receipt -> isThere(storage, directory, receipt) ? "" : receipt.name(),
                replaced::add);
        replaced.remove("");
        if (!replaced.isEmpty()) {
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Cannot publish " + directory + ": " + replaced.size() + " of " + receipts.size()
                            + " shards were replaced by a late task, the first is "
                            + replaced.iterator().next() + "; run again");
        }
    }

    private static boolean isThere(Storage storage, String directory, ShardReceipt receipt) throws IOException {
        try {
            return storage.sha256(Storage.child(directory, receipt.name())).equals(receipt.sha256());
        } catch (FileNotFoundException e) {
            return false;
        }
    }
}
