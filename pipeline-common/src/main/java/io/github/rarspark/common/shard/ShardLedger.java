package io.github.rarspark.common.shard;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Which shards of an output are finished and which are missing. Driver only; not thread-safe. */
public final class ShardLedger {
    private final List<String> names;
    private final SortedMap<String, ShardReceipt> finished = new TreeMap<>();

    private ShardLedger(Collection<String> names) {
        this.names = List.copyOf(names);
    }

    /** The state of an output: of the shards {@code names}, those that an earlier attempt finished. */
    public static ShardLedger open(OutputClaim claim, Collection<String> names) throws IOException {
        return claim.resumes()
                ? open(claim.storage(), claim.directory(), claim.plan().sha256(), names)
                : new ShardLedger(names);
    }

    /**
     * The state of a directory: reads those of the shards {@code names} that are there, and counts as finished whichever
     * carries the plan's hash and is undamaged.
     */
    public static ShardLedger open(Storage storage, String directory, String planSha256, Collection<String> names)
            throws IOException {
        ShardLedger ledger = new ShardLedger(names);
        Set<String> there = new HashSet<>(storage.list(directory));
        for (String name : ledger.names) {
            if (there.contains(name)) {
                ParquetShard.inspect(storage, Storage.child(directory, name), planSha256)
                        .ifPresent(ledger::add);
            }
        }
        return ledger;
    }

    /** Notes a shard that a task has finished. */
    public void add(ShardReceipt receipt) {
        if (!names.contains(receipt.name())) {
            throw new IllegalArgumentException("The plan has no shard " + receipt.name());
        }
        finished.put(receipt.name(), receipt);
    }

    /** The shards still to do, in the order of the plan. */
    public List<String> missing() {
        return names.stream().filter(name -> !finished.containsKey(name)).toList();
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
        List<String> missing = missing();
        if (!missing.isEmpty()) {
            throw new IllegalStateException(
                    missing.size() + " of " + names.size() + " shards are missing, the first is " + missing.get(0));
        }
        return new ArrayList<>(finished.values());
    }
}
