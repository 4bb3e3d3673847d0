package io.github.rarspark.conf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Hashes and compares the {@linkplain Recipe#resultSettings settings} of recipes that can alter a result. */
public final class RecipeHash {

    /** Keys added since hashes leave out defaults; unknown to those of {@link #isWithDefaults}. */
    private static final Set<String> LATER_KEYS = Set.of(
            "generate.tokens",
            "generate.samples_per_class",
            "generate.class_counts",
            "decode.count",
            "train.skip_grad_norm",
            "compute.tf32",
            "train.ema_decay");

    private static final String MICRO_BATCH = "train.micro_batch";

    private RecipeHash() {}

    /**
     * Returns the SHA-256 in hexadecimal of those {@code settings} that differ from their default: of their canonical
     * JSON, one flat object with sorted keys and text values. So a key added later does not change the hash of recipes
     * that leave it at its default.
     *
     * @param settings key to value, in the notation of the command line
     */
    public static String of(Map<String, String> settings) {
        SortedMap<String, String> changed = new TreeMap<>(settings);
        changed.entrySet().removeIf(RecipeHash::isDefault);
        return sha256(changed);
    }

    /**
     * Whether {@code hash} is the one that older versions gave {@code settings}: it included defaults, was stored
     * without the settings, and covered {@value #MICRO_BATCH} as well, of which any value will do.
     */
    public static boolean isWithDefaults(String hash, Map<String, String> settings) {
        SortedMap<String, String> known = new TreeMap<>(settings);
        known.entrySet().removeIf(setting -> LATER_KEYS.contains(setting.getKey()) && isDefault(setting));
        if (!known.containsKey("train.batch")) {
            return hash.equals(sha256(known));
        }
        int batch = Integer.parseInt(known.get("train.batch"));
        return IntStream.rangeClosed(0, batch)
                .filter(rows -> rows == 0 || batch % rows == 0)
                .anyMatch(rows -> {
                    known.put(MICRO_BATCH, Integer.toString(rows));
                    return hash.equals(sha256(known));
                });
    }

    /**
     * Names the first setting that differs, such as {@code "train.lr is 0.1, was 0.2"}; empty if none does. A key that
     * did not exist in the version of {@code earlier} counts as its present default, one that no longer alters a result
     * does not count. A changed default is a difference.
     *
     * @param settings the current ones
     * @param earlier those of an earlier run, perhaps of another version
     */
    public static Optional<String> difference(Map<String, String> settings, Map<String, String> earlier) {
        SortedMap<String, String> before = new TreeMap<>(earlier);
        Recipe.KEYS.all().stream().filter(key -> !key.altersResult()).forEach(key -> before.remove(key.name()));
        settings.keySet()
                .forEach(
                        name -> before.putIfAbsent(name, Recipe.KEYS.named(name).defaultValue()));
        Set<String> names = new TreeSet<>(before.keySet());
        return names.stream()
                .filter(name -> !before.get(name).equals(settings.get(name)))
                .map(name -> settings.containsKey(name)
                        ? name + " is " + quoted(settings.get(name)) + ", was " + quoted(before.get(name))
                        : name + " was " + quoted(before.get(name)) + ", which this version does not know")
                .findFirst();
    }

    private static String quoted(String value) {
        return value.isEmpty() ? "not given" : value;
    }

    private static boolean isDefault(Map.Entry<String, String> setting) {
        return setting.getValue().equals(Recipe.KEYS.named(setting.getKey()).defaultValue());
    }

    private static String sha256(SortedMap<String, String> settings) {
        try {
            byte[] json = new ObjectMapper().writeValueAsString(settings).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(json));
        } catch (JsonProcessingException | NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot hash the recipe", e);
        }
    }
}
