package io.github.rarspark.common.shard;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/** Which shards of an output are finished and which are missing. Driver only; not thread-safe. */
public final class ShardLedger {
    /** In the order of the plan. */
    private final Set<String> names;

    private final SortedMap<String, ShardReceipt> finished = new TreeMap<>();
    private final Map<String, Map<String, String>> footers = new HashMap<>();

    private ShardLedger(Collection<String> names) {
        this.names = Collections.unmodifiableSet(new LinkedHashSet<>(names));
    }

    /** The state of an output: of the shards {@code names}, those that an earlier attempt finished. */
    public static ShardLedger open(SparkSession session, OutputClaim claim, Collection<String> names)
            throws IOException {
        return claim.resumes()
                ? open(session, claim.storage(), claim.directory(), claim.plan().sha256(), names)
                : new ShardLedger(names);
    }

    /**
     * The state of a directory: has tasks read those of the shards {@code names} that are there, and counts as finished
     * whichever carries the plan's hash and is undamaged.
     */
    public static ShardLedger open(
            SparkSession session, Storage storage, String directory, String planSha256, Collection<String> names)
            throws IOException {
        ShardLedger ledger = new ShardLedger(names);
        Set<String> listed = new HashSet<>(storage.list(directory));
        List<String> there = ledger.names.stream().filter(listed::contains).toList();
        SparkSessions.describe(session, "check " + there.size() + " shards in " + directory);
        UnitTasks.run(session, there, name -> inspect(storage, Storage.child(directory, name), planSha256), earlier -> {
            if (earlier != null) {
                ledger.add(earlier.receipt());
                ledger.footers.put(earlier.receipt().name(), earlier.footer());
            }
        });
        return ledger;
    }

    private record Earlier(ShardReceipt receipt, HashMap<String, String> footer) implements Serializable {}

    /** In a task: the shard at {@code path}, or null if it has to be done again; an Optional cannot be sent. */
    private static Earlier inspect(Storage storage, String path, String planSha256) throws IOException {
        Optional<ShardReceipt> receipt = ParquetShard.inspect(storage, path, planSha256);
        return receipt.isEmpty()
                ? null
                : new Earlier(
                        receipt.get(),
                        new HashMap<>(ParquetFooter.read(storage, path).keyValues()));
    }

    /** The footer's entries of a shard that an earlier attempt has finished. */
    public Map<String, String> footer(String name) {
        return Map.copyOf(footers.get(name));
    }

    /** Notes a shard that a task has finished. */
    public void add(ShardReceipt receipt) {
        if (!names.contains(receipt.name())) {
            throw new IllegalArgumentException("The plan has no shard " + receipt.name());
        }
        finished.put(receipt.name(), receipt);
    }

    /** The shards still to do, in the order of the plan. */
    public Set<String> missing() {
        Set<String> missing = new LinkedHashSet<>(names);
        missing.removeAll(finished.keySet());
        return missing;
    }

    /** The finished shards, by name. */
    public List<ShardReceipt> finished() {
        return List.copyOf(finished.values());
    }

    /**
     * All shards, by name, for the manifest.
     *
     * @throws IllegalStateException if one is missing
     */
    public List<ShardReceipt> complete() {
        Set<String> missing = missing();
        if (!missing.isEmpty()) {
            throw new IllegalStateException(missing.size() + " of " + names.size()
                    + " shards are missing, the first is " + missing.iterator().next());
        }
        return new ArrayList<>(finished.values());
    }
}
