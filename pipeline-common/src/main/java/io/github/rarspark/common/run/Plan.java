package io.github.rarspark.common.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.conf.RecipeHash;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The plan of a run. Two runs with equal plans write equal outputs.
 *
 * @param command the command's name
 * @param recipeSha256 the {@linkplain RecipeHash#of hash} of {@code settings}
 * @param inputs what is read: a name, such as {@code tokens}, and the content's identity, such as a manifest's hash
 * @param units how the work is split and computed: shards, micro-batch, intra-op threads. Chosen by the first attempt for
 *     its machine, and reused by every later one
 * @param settings the recipe's settings that can alter the result, defaults as well; empty in plans of versions that
 *     stored their hash only, which covered defaults
 * @param device what computes, which alters the result: {@code gpu}; null for the CPU
 */
public record Plan(
        String command,
        String recipeSha256,
        SortedMap<String, String> inputs,
        SortedMap<String, String> units,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) SortedMap<String, String> settings,
        @JsonInclude(JsonInclude.Include.NON_NULL) String device)
        implements Serializable {
    /** The device of plans that name none. */
    static final String CPU = "cpu";

    /** The name of the input that is files, of which there may be more later. */
    public static final String FILES = "input";

    /** Copies the maps. */
    public Plan {
        inputs = new TreeMap<>(inputs);
        units = new TreeMap<>(units);
        settings = settings == null ? new TreeMap<>() : new TreeMap<>(settings);
    }

    /** What the hash covers. */
    private record Hashed(
            String command,
            String recipeSha256,
            SortedMap<String, String> inputs,
            SortedMap<String, String> units,
            @JsonInclude(JsonInclude.Include.NON_NULL) String device) {}

    /** A plan from maps in any order. */
    public static Plan of(String command, String recipeSha256, Map<String, String> inputs, Map<String, String> units) {
        return new Plan(command, recipeSha256, new TreeMap<>(inputs), new TreeMap<>(units), new TreeMap<>(), null);
    }

    /** This plan for a recipe with these {@linkplain io.github.rarspark.conf.Recipe#resultSettings settings}. */
    public static Plan of(
            String command, SortedMap<String, String> settings, Map<String, String> inputs, Map<String, String> units) {
        return new Plan(command, RecipeHash.of(settings), new TreeMap<>(inputs), new TreeMap<>(units), settings, null);
    }

    /** This plan on a device, which is left out of the plan if it is the CPU. */
    public Plan on(String device) {
        return new Plan(command, recipeSha256, inputs, units, settings, device.equals(CPU) ? null : device);
    }

    /** What computes: {@code cpu} or {@code gpu}. */
    public String deviceLabel() {
        return device == null ? CPU : device;
    }

    /** The hash recorded in manifests and shards. It covers the settings by {@link #recipeSha256}. */
    public String sha256() {
        Hashed hashed = new Hashed(command, recipeSha256, inputs, units, device);
        return Sha256.of(Json.line(hashed).getBytes(StandardCharsets.UTF_8));
    }

    /** The unit setting {@code name} as a number. */
    public int unit(String name) {
        return Integer.parseInt(units.get(name));
    }

    /** Whether {@code other} does the same work, even if split into other units. */
    boolean sameWork(Plan other) {
        return command.equals(other.command)
                && inputs.equals(other.inputs)
                && deviceLabel().equals(other.deviceLabel())
                && recipeDifference(other).isEmpty();
    }

    /** Whether {@code other} does the same to other files, or after other generations. */
    boolean sameWorkOfOtherInput(Plan other) {
        return withoutFiles().sameWork(other.withoutFiles());
    }

    private Plan withoutFiles() {
        SortedMap<String, String> others = new TreeMap<>(inputs);
        others.keySet().removeAll(List.of(FILES, Published.INPUT));
        return new Plan(command, recipeSha256, others, units, settings, device);
    }

    /** Describes in a few words how {@code other}, the existing plan, differs from this one. */
    String difference(Plan other) {
        if (!command.equals(other.command)) {
            return "the command was " + other.command + ", not " + command;
        }
        Optional<String> recipe = recipeDifference(other);
        if (recipe.isPresent()) {
            return recipe.get();
        }
        for (Map.Entry<String, String> input : inputs.entrySet()) {
            if (!input.getValue().equals(other.inputs.get(input.getKey()))) {
                return "the input '" + input.getKey() + "' differs";
            }
        }
        return inputs.equals(other.inputs)
                ? "compute.device is " + deviceLabel() + ", was " + other.deviceLabel()
                : "the inputs differ";
    }

    private Optional<String> recipeDifference(Plan other) {
        if (!settings.isEmpty() && !other.settings.isEmpty()) {
            return RecipeHash.difference(settings, other.settings);
        }
        boolean same = settings.isEmpty()
                ? recipeSha256.equals(other.recipeSha256)
                : RecipeHash.isWithDefaults(other.recipeSha256, settings);
        return same ? Optional.empty() : Optional.of("the recipe differs");
    }
}
