package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files that an attempt may leave behind without having published anything. Manifests, {@code LAST}, metrics, weights,
 * archives and foreign files are not among them: an output with one of these has published something. Of an output that
 * has published generations, only the files of later ones are.
 */
final class Leftovers {
    /** Files about the attempts themselves. */
    private static final Pattern CONTROL =
            Pattern.compile("_plan\\.json|_owner\\.json|_attempts/\\d{6}\\.json|result\\.json");

    /** A look at images, which may be taken before there is a plan. */
    private static final Pattern PREVIEW = Pattern.compile("preview\\.(png|json)");

    /** Cached features, which are named by their content, so that any plan can use them, and what a look left. */
    private static final Pattern ANY_PLANS = Pattern.compile("features/.*\\.parquet|" + PREVIEW);

    /** Finished shards, which readers ignore until a manifest lists them. */
    private static final Pattern SHARDS = Pattern.compile("(tokens/)?(part|shard)-[^/]*\\.parquet");

    /** All data that readers ignore until a manifest lists it, and the description of the attempt. */
    private static final Pattern UNFINISHED = Pattern.compile(SHARDS + "|recipe\\.yaml|quarantine\\.jsonl"
            + "|_listing-\\d{3,}\\.jsonl\\.gz"
            + "|checkpoints/step-[^/]*/((model|optimizer|ema)\\.safetensors|state\\.json)|samples/(step-[^/]*"
            + "\\.png|classes\\.txt)");

    /** The files of a generation, which readers ignore until {@code _manifest.json} lists it. */
    private static final Pattern GENERATION = Pattern.compile(
            "(?:part-(\\d{3,})-\\d{5,}\\.parquet|(?:quarantine|_listing|_manifest)-(\\d{3,})\\.json(?:l|l\\.gz)?)");

    private final Storage storage;
    private final String directory;
    private final int published;

    private Leftovers(Storage storage, String directory, int published) {
        this.storage = storage;
        this.directory = directory;
        this.published = published;
    }

    /** Whether a file says nothing of what a directory is used for. */
    static boolean isPreview(String name) {
        return matches(PREVIEW, name);
    }

    /** The leftovers in {@code directory}, which has published this many generations. */
    static Leftovers in(Storage storage, String directory, int published) {
        return new Leftovers(storage, directory, published);
    }

    /** Whether nothing in the output was published. */
    boolean only() throws IOException {
        return published == 0
                && storage.walk(directory).stream()
                        .map(StoredFile::name)
                        .allMatch(name ->
                                matches(CONTROL, name) || matches(ANY_PLANS, name) || matches(UNFINISHED, name));
    }

    /** The files that are useless to another plan. */
    List<String> unfinished() throws IOException {
        return matching(name -> published == 0 ? matches(UNFINISHED, name) : isOfLaterGeneration(name));
    }

    /** The shards, which the next attempt of the same plan would reuse. */
    List<String> shards() throws IOException {
        return matching(name -> matches(SHARDS, name) && (published == 0 || isOfLaterGeneration(name)));
    }

    private List<String> matching(Predicate<String> wanted) throws IOException {
        return storage.walk(directory).stream()
                .filter(file -> wanted.test(file.name()))
                .map(StoredFile::path)
                .toList();
    }

    private boolean isOfLaterGeneration(String name) {
        Matcher matcher = GENERATION.matcher(name);
        if (!matcher.matches()) {
            return false;
        }
        String number = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
        return Integer.parseInt(number) >= published;
    }

    private static boolean matches(Pattern pattern, String name) {
        return pattern.matcher(name).matches();
    }
}
