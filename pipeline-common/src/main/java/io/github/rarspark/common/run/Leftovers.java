package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What attempts leave that published nothing. An output holds nothing published if each of its files is one of these; a
 * manifest, a checkpoint's manifest, {@code LAST}, metrics, weights, an archive or a foreign file are not.
 */
final class Leftovers {
    /** Files about the attempts themselves. */
    private static final Pattern CONTROL =
            Pattern.compile("_plan\\.json|_owner\\.json|_attempts/\\d{6}\\.json|result\\.json");

    /** Cached features are named by their content, so any plan may use them. */
    private static final Pattern ANY_PLANS = Pattern.compile("features/.*\\.parquet");

    /** Finished work that only a manifest would make count. */
    private static final Pattern SHARDS = Pattern.compile("(tokens/)?(part|shard)-[^/]*\\.parquet");

    /** Other data that only a manifest would make count, and what describes the attempt. */
    private static final Pattern UNFINISHED = Pattern.compile(SHARDS + "|recipe\\.yaml|quarantine\\.jsonl"
            + "|checkpoints/step-[^/]*/(model\\.safetensors|optimizer\\.safetensors|state\\.json)|samples/step-[^/]*\\.pn"
            + "g");

    private Leftovers() {}

    /** Whether nothing in {@code directory} was published. */
    static boolean only(Storage storage, String directory) throws IOException {
        return storage.walk(directory).stream()
                .map(StoredFile::name)
                .allMatch(name -> matches(CONTROL, name) || matches(ANY_PLANS, name) || matches(UNFINISHED, name));
    }

    /** The files that an attempt of another plan cannot use. */
    static List<String> unfinished(Storage storage, String directory) throws IOException {
        return matching(UNFINISHED, storage, directory);
    }

    /** The shards, which the same plan's next attempt would not have to make again. */
    static List<String> shards(Storage storage, String directory) throws IOException {
        return matching(SHARDS, storage, directory);
    }

    private static List<String> matching(Pattern pattern, Storage storage, String directory) throws IOException {
        return storage.walk(directory).stream()
                .filter(file -> matches(pattern, file.name()))
                .map(StoredFile::path)
                .toList();
    }

    private static boolean matches(Pattern pattern, String name) {
        return pattern.matcher(name).matches();
    }
}
