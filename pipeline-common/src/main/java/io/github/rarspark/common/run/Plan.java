package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a run will do. Two runs with equal plans write equal outputs.
 *
 * @param command the command's name
 * @param recipeSha256 the hash of the resolved recipe
 * @param inputs what is read: a name, such as {@code tokens}, and the content's identity, such as a manifest's hash
 * @param units how the work is cut and computed: shards, micro-batch, intra-op threads. Chosen by the first attempt
 *     for its machine, and reused by every later one
 */
public record Plan(
        String command, String recipeSha256, SortedMap<String, String> inputs, SortedMap<String, String> units)
        implements Serializable {

    /** Copies the maps. */
    public Plan {
        inputs = new TreeMap<>(inputs);
        units = new TreeMap<>(units);
    }

    /** A plan from maps in any order. */
    public static Plan of(String command, String recipeSha256, Map<String, String> inputs, Map<String, String> units) {
        return new Plan(command, recipeSha256, new TreeMap<>(inputs), new TreeMap<>(units));
    }

    /** The hash that manifests and finished shards carry. */
    public String sha256() {
        return Sha256.of(Json.line(this).getBytes(StandardCharsets.UTF_8));
    }

    /** The unit setting {@code name} as a number. */
    public int unit(String name) {
        return Integer.parseInt(units.get(name));
    }

    /** Whether {@code other} does the same work, however it is cut into units. */
    boolean sameWork(Plan other) {
        return command.equals(other.command) && recipeSha256.equals(other.recipeSha256) && inputs.equals(other.inputs);
    }

    /** Says in a few words what distinguishes {@code other}, the plan that is already there, from this one. */
    String difference(Plan other) {
        if (!command.equals(other.command)) {
            return "the command was " + other.command + ", not " + command;
        }
        if (!recipeSha256.equals(other.recipeSha256)) {
            return "the recipe differs";
        }
        for (Map.Entry<String, String> input : inputs.entrySet()) {
            if (!input.getValue().equals(other.inputs.get(input.getKey()))) {
                return "the input '" + input.getKey() + "' differs";
            }
        }
        return "the inputs differ";
    }
}
