package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The files that an attempt may leave behind without having published anything. Manifests, {@code LAST}, metrics, weights,
 * archives and foreign files are not among them: an output with one of these has published something.
 */
final class Leftovers {
    /** Files about the attempts themselves. */
    private static final Pattern CONTROL =
            Pattern.compile("_plan\\.json|_owner\\.json|_attempts/\\d{6}\\.json|result\\.json");

    /** Cached features, which are named by their content, so that any plan can use them. */
    private static final Pattern ANY_PLANS = Pattern.compile("features/.*\\.parquet");

    /** Finished shards, which readers ignore until a manifest lists them. */
    private static final Pattern SHARDS = Pattern.compile("(tokens/)?(part|shard)-[^/]*\\.parquet");

    /** All data that readers ignore until a manifest lists it, and the description of the attempt. */
    private static final Pattern UNFINISHED = Pattern.compile(SHARDS + "|recipe\\.yaml|quarantine\\.jsonl"
            + "|checkpoints/step-[^/]*/((model|optimizer|ema)\\.safetensors|state\\.json)|samples/(step-[^/]*"
            + "\\.png|classes\\.txt)");

    private Leftovers() {}

    /** Whether nothing in {@code directory} was published. */
    static boolean only(Storage storage, String directory) throws IOException {
        return storage.walk(directory).stream()
                .map(StoredFile::name)
                .allMatch(name -> matches(CONTROL, name) || matches(ANY_PLANS, name) || matches(UNFINISHED, name));
    }

    /** The files that are useless to another plan. */
    static List<String> unfinished(Storage storage, String directory) throws IOException {
        return matching(UNFINISHED, storage, directory);
    }

    /** The shards, which the next attempt of the same plan would reuse. */
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
