package io.github.rarspark.conf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * One layer of settings: keys, their values as text, and where they come from.
 *
 * @param origin the source's name in messages, for example {@code command line} or {@code recipe demo}
 * @param values dotted key to value
 */
public record Layer(String origin, Map<String, String> values) {

    /** The prefix of the keys in a Spark configuration. */
    public static final String SPARK_PREFIX = "spark.rar.";

    /** Keys that say the same in different ways: who gives one replaces what lower layers say with any of them. */
    static final Set<String> ALTERNATIVES =
            Set.of("generate.count", "generate.samples_per_class", "generate.class_counts");

    /** Keeps the order of the values, in which errors are reported. */
    public Layer {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** This layer on top of the values of another, such as the recipe that it extends. */
    Layer over(Layer lower) {
        Map<String, String> merged = new LinkedHashMap<>(lower.values);
        if (!Collections.disjoint(values.keySet(), ALTERNATIVES)) {
            merged.keySet().removeAll(ALTERNATIVES);
        }
        merged.putAll(values);
        return new Layer(origin, merged);
    }

    /** The layer of the command line. */
    public static Layer commandLine(Map<String, String> values) {
        return new Layer("the command line", values);
    }

    /** The layer of a Spark configuration: its entries that start with {@value #SPARK_PREFIX}, all others ignored. */
    public static Layer sparkConf(Map<String, String> configuration) {
        Map<String, String> values = new LinkedHashMap<>();
        configuration.forEach((key, value) -> {
            if (key.startsWith(SPARK_PREFIX)) {
                values.put(key.substring(SPARK_PREFIX.length()), value);
            }
        });
        return new Layer(SPARK_PREFIX + "*", values);
    }
}
