package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** All settings of all jobs. Every instance is valid: its values are in range and consistent. */
@Settings(
        """
        key  | type | default | range | hashed | meaning
        seed | long | 0       |       | yes    | Seed of every random choice except sampling's, which has generate.seed.
        """)
public record Recipe(
        long seed,
        ImageSettings image,
        TokenizerSettings tokenizer,
        TokenizeSettings tokenize,
        ModelSettings model,
        TrainSettings train,
        GenerateSettings generate,
        DecodeSettings decode,
        FidSettings fid,
        TrainTokenizerSettings trainTokenizer,
        TrainClassifierSettings trainClassifier,
        DemoSettings demo,
        ComputeSettings compute,
        ClaimSettings claim,
        SparkSettings spark)
        implements Serializable {

    /** All keys. */
    public static final Keys<Recipe> KEYS = new Keys<>(Recipe.class);

    private static final Set<TokenOrder> POWER_OF_TWO_ORDERS = Set.of(TokenOrder.Z_CURVE, TokenOrder.SUBSAMPLE);

    /** Checks that the sections are consistent. */
    public Recipe {
        int downsampling = tokenizer.downsampling();
        require(
                image.size() % downsampling == 0,
                "Cannot use image.size=%d: the tokenizer's downsampling factor is %d; give a multiple of it",
                image.size(),
                downsampling);
        int side = image.size() / downsampling;
        require(
                model.tokens() == side * side,
                "Cannot use model.tokens=%d: image.size=%d and %d levels in tokenizer.channel_mult give %d x %d tokens;"
                        + " set model.tokens=%d",
                model.tokens(),
                image.size(),
                tokenizer.channelMult().size(),
                side,
                side,
                side * side);
        require(
                model.codes() == tokenizer.codes(),
                "Cannot use model.codes=%d with tokenizer.codes=%d: the model's vocabulary is the tokenizer's"
                        + " codebook; make them equal",
                model.codes(),
                tokenizer.codes());
        for (TokenOrder order : List.of(train.scanOrder(), generate.order())) {
            require(
                    !POWER_OF_TWO_ORDERS.contains(order) || Integer.bitCount(side) == 1,
                    "Cannot use the order %s on %d x %d tokens: the side must be a power of two; use another order",
                    Key.format(order),
                    side,
                    side);
        }
        generate.classes()
                .forEach(label -> require(
                        label >= 0 && label < model.classes(),
                        "Cannot use class %d in generate.classes: the model has classes 0 to %d",
                        label,
                        model.classes() - 1));
        generate.counts(model.classes());
    }

    /**
     * Resolves layers over the defaults.
     *
     * @param layers in descending precedence: the command line first, then the Spark configuration, then the recipe
     * @throws RecipeException on an unknown key, an invalid value or inconsistent values
     */
    public static Recipe resolve(Layer... layers) {
        Map<Key, Object> values = new LinkedHashMap<>();
        for (Key key : KEYS.all()) {
            values.put(key, key.parse(key.defaultText(), "the default"));
        }
        for (int rung = layers.length - 1; rung >= 0; rung--) {
            Layer layer = layers[rung];
            requireOneOf(Layer.ALTERNATIVES, layer);
            if (!Collections.disjoint(layer.values().keySet(), Layer.ALTERNATIVES)) {
                Layer.ALTERNATIVES.stream()
                        .map(KEYS::named)
                        .forEach(key -> values.put(key, key.parse(key.defaultText(), "the default")));
            }
            layer.values().forEach((name, text) -> {
                Key key = KEYS.named(name, layer.origin());
                values.put(key, key.parse(text, layer.origin()));
            });
        }
        return KEYS.build(values);
    }

    /** A layer may hold the defaults of all, as a complete recipe does. */
    private static void requireOneOf(Set<String> alternatives, Layer layer) {
        List<String> given = layer.values().entrySet().stream()
                .filter(entry -> alternatives.contains(entry.getKey()))
                .filter(entry -> !entry.getValue()
                        .strip()
                        .equals(KEYS.named(entry.getKey()).defaultText()))
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toList();
        require(
                given.size() <= 1,
                "Cannot use %s (from %s) together: give one of them",
                String.join(" and ", given),
                layer.origin());
    }

    /** Returns the value of a key in the notation of the command line. */
    public String get(String name) {
        return Key.format(KEYS.values(this).get(KEYS.named(name)));
    }

    /** Returns the value of each key in the notation of the command line, in the order of the table. */
    public Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        KEYS.values(this).forEach((key, value) -> values.put(key.name(), Key.format(value)));
        return values;
    }

    /**
     * Returns a copy of this recipe with the given values.
     *
     * @throws RecipeException on an unknown key, an invalid value or inconsistent values
     */
    public Recipe with(Map<String, String> values) {
        return resolve(new Layer("the program", values), new Layer("the recipe", values()));
    }

    /**
     * Checks that keys without a default were given.
     *
     * @param command the command that needs them, for the message
     * @throws RecipeException naming the first one that is empty
     */
    public void requireGiven(String command, String... names) {
        for (String name : names) {
            require(
                    !get(name).isEmpty(),
                    "Cannot run %s without %s: give --%s or set the key",
                    command,
                    name,
                    name.substring(name.indexOf('.') + 1).replace('_', '-'));
        }
    }

    /**
     * Returns the settings that can alter a result, sorted by key. Locations, the number of ranks and the like are left
     * out.
     *
     * @param sections the sections to cover, for the plan of one job; all if none are given. {@code seed} is
     *     always covered.
     */
    public SortedMap<String, String> resultSettings(String... sections) {
        Set<String> covered = Set.copyOf(Arrays.asList(sections));
        SortedMap<String, String> settings = new TreeMap<>();
        KEYS.values(this).forEach((key, value) -> {
            boolean wanted = covered.isEmpty() || key.section().isEmpty() || covered.contains(key.section());
            if (key.altersResult() && wanted) {
                settings.put(key.name(), Key.format(value));
            }
        });
        return settings;
    }

    /** Returns the recipe as YAML with every key, which {@link Recipes#parse} reads back. */
    public String toYaml() {
        YAMLFactory yaml = YAMLFactory.builder()
                .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                .build();
        ObjectMapper mapper = new ObjectMapper(yaml);
        ObjectNode root = mapper.createObjectNode();
        KEYS.values(this).forEach((key, value) -> {
            ObjectNode section = key.section().isEmpty() ? root : root.withObject("/" + key.section());
            String name = key.name().substring(key.name().indexOf('.') + 1);
            section.set(name, mapper.valueToTree(value instanceof Enum<?> ? Key.format(value) : value));
        });
        try {
            return mapper.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Cannot write the recipe as YAML", e);
        }
    }
}
