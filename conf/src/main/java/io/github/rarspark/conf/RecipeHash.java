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

/** Compares what recipes say about a result: the {@linkplain Recipe#resultSettings settings} that can alter it. */
public final class RecipeHash {

    /** Keys that recipes have gained since hashes leave out defaults; {@link #withDefaults} does not know them. */
    private static final Set<String> LATER_KEYS =
            Set.of("generate.tokens", "decode.count", "decode.batch", "decode.shard_images", "decode.threads");

    private RecipeHash() {}

    /**
     * Returns the SHA-256 in hexadecimal of those {@code settings} that differ from their default: of their canonical
     * JSON, one flat object with sorted keys and values as text. So a key that recipes gain does not change the hash of
     * those that leave it at its default.
     *
     * @param settings key to value, in the notation of the command line
     */
    public static String of(Map<String, String> settings) {
        SortedMap<String, String> changed = new TreeMap<>(settings);
        changed.entrySet().removeIf(RecipeHash::isDefault);
        return sha256(changed);
    }

    /** Returns the hash by the rule of versions that covered defaults too and stored no settings. */
    public static String withDefaults(Map<String, String> settings) {
        SortedMap<String, String> known = new TreeMap<>(settings);
        known.entrySet().removeIf(setting -> LATER_KEYS.contains(setting.getKey()) && isDefault(setting));
        return sha256(known);
    }

    /**
     * Names the first setting that differs, such as {@code "train.lr is 0.1, was 0.2"}; empty if none does. A key that
     * the version of {@code earlier} did not have had what is its default now. A default that has changed is a
     * difference.
     *
     * @param settings those of now
     * @param earlier those of an earlier run, perhaps of another version
     */
    public static Optional<String> difference(Map<String, String> settings, Map<String, String> earlier) {
        SortedMap<String, String> before = new TreeMap<>(earlier);
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
