package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecipesTest {

    static List<String> names() {
        return Recipes.names();
    }

    @Test
    void namesAreTheFilesOfTheFolder() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("recipes"))) {
            assertThat(files.map(file -> file.getFileName().toString().replace(".yaml", "")))
                    .containsExactlyInAnyOrderElementsOf(Recipes.names());
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void shippedRecipesAreValidAndSurviveYaml(String name) {
        Recipe recipe = Recipes.load(name);
        assertThat(Recipe.resolve(Recipes.parse(recipe.toYaml(), "copy"))).isEqualTo(recipe);
        assertThat(Recipes.text(name)).contains("command ", "cost ", "expected ");
    }

    @ParameterizedTest
    @CsvSource({
        "rar-s,768,12,3072,1.0,16.0,2.75",
        "rar-b,768,24,3072,1.0,16.0,2.75",
        "rar-l,1024,24,4096,1.02,15.5,2.5",
        "rar-xl,1280,32,5120,1.02,6.9,1.5",
        "rar-xxl,1408,40,6144,1.02,8.0,1.2"
    })
    void sizesAndSamplingAreThoseOfThePaper(
            String name, int hidden, int layers, int mlp, double temperature, double scale, double pow) {
        Recipe recipe = Recipes.load(name);
        assertThat(recipe.model())
                .isEqualTo(new ModelSettings(hidden, layers, 16, mlp, 256, 1024, 1000, 0.1, Conditioning.ADALN, true));
        assertThat(recipe.generate().temperature()).isEqualTo(temperature);
        assertThat(recipe.generate().guidanceScale()).isEqualTo(scale);
        assertThat(recipe.generate().guidancePow()).isEqualTo(pow);
        assertThat(recipe.train()).isEqualTo(Recipe.resolve().train());
    }

    @Test
    void ladderTakesCommandLineThenSparkThenRecipeThenDefault() {
        Layer recipe = Recipes.parse("train: {steps: 70000, batch: 70, lr: 0.007, log_every: 7}", "mine.yaml");
        Layer spark = Layer.sparkConf(
                Map.of("spark.rar.train.batch", "80", "spark.rar.train.lr", "0.008", "spark.executor.cores", "4"));
        Layer commandLine = Layer.commandLine(Map.of("train.lr", "0.009"));
        TrainSettings train = Recipe.resolve(commandLine, spark, recipe).train();
        assertThat(train.lr()).isEqualTo(0.009);
        assertThat(train.batch()).isEqualTo(80);
        assertThat(train.steps()).isEqualTo(70000);
        assertThat(train.logEvery()).isEqualTo(7);
        assertThat(train.beta2()).isEqualTo(0.96);
    }

    @Test
    void recipeExtendsAShippedOne() {
        Layer layer = Recipes.parse("extends: demo\ntrain.batch: 32\n", "mine.yaml");
        assertThat(Recipe.resolve(layer)).isEqualTo(Recipes.load("demo").with(Map.of("train.batch", "32")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train.bacth | did you mean train.batch",
                "batch | did you mean decode.batch or fid.batch or generate.batch or tokenize.batch or train.batch or",
                "guidance_scal | did you mean generate.guidance_scale?",
                "entirely.different.thing | docs/recipes.md lists the keys"
            })
    void unknownKeyListsNearOnes(String key, String hint) {
        assertThatThrownBy(() -> Recipe.resolve(Layer.commandLine(Map.of(key, "1"))))
                .isInstanceOf(RecipeException.class)
                .hasMessageStartingWith("Unknown key " + key + " (from the command line)")
                .hasMessageContaining(hint);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train.batch | abc | give integer of at least 1",
                "train.batch | 0 | give integer of at least 1",
                "train.batch | 1.5 | give integer of at least 1",
                "train.batch | 99999999999 | give integer of at least 1 and at most 2147483647",
                "claim.lease_seconds | 99999999999 | give integer in [3, 86400]",
                "train.lr | 0 | give number above 0",
                "train.lr | NaN | give number above 0",
                "train.class_drop | 1.5 | give number in [0, 1]",
                "model.dropout | 1 | give number in [0, 1)",
                "fid.floor | yes | give true or false",
                "image.crops | five-crop | give ten-crop or center-flip or center",
                "train.precision | FP32 | give fp32 or bf16",
                "tokenizer.channel_mult | 1,,2 | give integers separated by commas",
                "tokenize.max_bad | 0.1 | give number of images such as 100, or a share of them such as 0.1%"
            })
    void wrongValueSaysWhatToGive(String key, String value, String hint) {
        assertThatThrownBy(() -> Recipe.resolve(Layer.commandLine(Map.of(key, value))))
                .isInstanceOf(RecipeException.class)
                .hasMessage("Cannot use %s=%s (from the command line): %s", key, value, hint);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.heads=7 | Cannot use model.hidden=128 with model.heads=7",
                "train.batch=64;train.ranks=3 | Cannot use train.batch=64 with train.ranks=3",
                "train.batch=64;train.micro_batch=5 | Cannot use train.micro_batch=5: a rank's share of the batch is 32 samples",
                "train.anneal_start=90;train.anneal_end=10 | Cannot use train.anneal_start=90 with train.anneal_end=10",
                "train.steps=300;train.warmup_steps=300 | Cannot use train.warmup_steps=300 with train.steps=300",
                "train.lr=0.002;train.end_lr=1 | Cannot use train.end_lr=1 with train.lr=0.002",
                "train.scan_order=random | Cannot use train.scan_order=random",
                "tokenizer.hidden_channels=48 | Cannot use tokenizer.hidden_channels=48",
                "tokenizer.channel_mult=1,0 | Cannot use tokenizer.channel_mult=1,0",
                "image.size=30 | Cannot use image.size=30: the tokenizer's downsampling factor is 4",
                "image.size=28 | give 7 x 7 tokens; set model.tokens=49",
                "image.size=28;model.tokens=49;train.scan_order=z-curve | Cannot use the order z-curve on 7 x 7 tokens",
                "model.codes=1024 | Cannot use model.codes=1024 with tokenizer.codes=512",
                "generate.classes=3,10 | Cannot use class 10 in generate.classes: the model has classes 0 to 9",
                "generate.classes=3,3 | Cannot use generate.classes=3,3"
            })
    void wrongCombinationSaysBothValues(String changes, String message) {
        Map<String, String> values = Stream.of(changes.split(";"))
                .map(change -> change.split("="))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        assertThatThrownBy(() -> Recipes.load("demo").with(values))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining(message);
    }

    @Test
    void oddHeadWidthAndOtherGridsAreAllowed() {
        Recipe recipe = Recipes.load("demo")
                .with(Map.of(
                        "model.hidden", "84", "image.size", "28", "model.tokens", "49", "generate.order", "random"));
        assertThat(recipe.model().hidden() / recipe.model().heads()).isEqualTo(21);
        assertThat(recipe.generate().order()).isEqualTo(TokenOrder.RANDOM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"train: [unclosed", "just text", "a: 1\na: 2", "train.lr: 1\ntrain: {lr: 2}"})
    void malformedYamlIsOneLine(String yaml) {
        assertThatThrownBy(() -> Recipes.parse(yaml, "mine.yaml"))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("mine.yaml")
                .message()
                .doesNotContain("\n");
    }

    @Test
    void malformedYamlIsToldByTheProblemNotItsContext() {
        assertThatThrownBy(() -> Recipes.parse("extends: demo\ntrain:\n\tbatch: 3\n", "mine.yaml"))
                .hasMessage("Cannot read mine.yaml, line 3: found character '\\t(TAB)' that cannot start any token."
                        + " (Do not use \\t(TAB) for indentation)");
        assertThatThrownBy(() -> Recipes.parse("a\u0000", "mine.yaml"))
                .hasMessageContaining("special characters are not allowed");
    }

    @Test
    void unknownRecipeListsNearOnes() {
        assertThatThrownBy(() -> Recipes.load("rar-bb"))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("did you mean rar-b");
        assertThatThrownBy(() -> Recipes.load("imagenet"))
                .hasMessageContaining("use a file or one of demo, rar-s, rar-b");
    }

    @Test
    void hashCoversWhatAltersTheResultOnly() {
        Recipe demo = Recipes.load("demo");
        assertThat(hash(demo)).matches("[0-9a-f]{64}").isEqualTo(hash(demo.with(Map.of())));
        Recipe elsewhere = demo.with(Map.of("spark.master", "yarn", "train.output", "s3a://b/x", "train.ranks", "4"));
        assertThat(hash(elsewhere)).isEqualTo(hash(demo));
        Recipe slower = demo.with(Map.of("train.lr", "0.001"));
        assertThat(hash(slower)).isNotEqualTo(hash(demo));
        assertThat(slower.resultSettings("image", "tokenizer", "tokenize"))
                .isEqualTo(demo.resultSettings("image", "tokenizer", "tokenize"));
        assertThat(demo.with(Map.of("seed", "1")).resultSettings("tokenize"))
                .isNotEqualTo(demo.resultSettings("tokenize"));
        assertThat(hash(demo.with(Map.of("train.threads", "2")))).isNotEqualTo(hash(demo));
    }

    private static String hash(Recipe recipe) {
        return RecipeHash.of(recipe.resultSettings());
    }

    @Test
    void requiredKeyNamesItsOption() {
        assertThatThrownBy(() -> Recipes.load("demo").requireGiven("train", "train.tokens"))
                .isInstanceOf(RecipeException.class)
                .hasMessage("Cannot run train without train.tokens: give --tokens or set the key");
        Recipes.load("demo").with(Map.of("train.tokens", "t")).requireGiven("train", "train.tokens");
    }

    @Test
    void recipeTravelsToExecutors() throws Exception {
        Recipe recipe = Recipes.load("rar-l").with(Map.of("generate.classes", "1,2"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(recipe);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(recipe);
        }
    }

    @Test
    void valuesRoundTripAsText() {
        Recipe recipe = Recipes.load("rar-xl").with(Map.of("spark.master", "local[2]", "train.init", "null"));
        assertThat(Recipe.resolve(Layer.commandLine(recipe.values()))).isEqualTo(recipe);
        assertThat(Recipe.resolve(Recipes.parse(recipe.toYaml(), "copy"))).isEqualTo(recipe);
        assertThat(recipe.get("spark.master")).isEqualTo("local[2]");
        assertThat(recipe.get("tokenizer.channel_mult")).isEqualTo("1,1,2,2,4");
    }

    /** The demo's recipe says how many images there are in all. */
    @Test
    void theUppermostLayerSaysHowManyImagesThereAre() {
        Layer demo = Recipes.layer("demo");
        Recipe each = Recipe.resolve(Layer.commandLine(Map.of("generate.samples_per_class", "5")), demo);
        assertThat(each.generate().counts(10)).containsOnly(5);
        assertThat(each.get("generate.count")).as("not hashed").isEqualTo("50000");
        Recipe complete = Recipe.resolve(Recipes.parse(each.toYaml(), "copy"));
        assertThat(complete).isEqualTo(each);

        Layer photos = Recipes.parse("extends: demo\ngenerate: {samples_per_class: 7}", "photos");
        assertThat(Recipe.resolve(photos).generate().counts(10)).containsOnly(7);
        Recipe fewer = Recipe.resolve(Layer.commandLine(Map.of("generate.count", "20")), photos);
        assertThat(fewer.generate().counts(10)).containsOnly(2);
        assertThat(complete.with(Map.of("generate.count", "30")).generate().counts(10))
                .containsOnly(3);
    }

    @Test
    void oneLayerSaysItOnce() {
        Layer both = Layer.commandLine(Map.of("generate.samples_per_class", "5", "generate.class_counts", "1,2"));
        assertThatThrownBy(() -> Recipe.resolve(both))
                .isInstanceOf(RecipeException.class)
                .hasMessageMatching("Cannot use (generate.samples_per_class=5 and generate.class_counts=1,2|"
                        + "generate.class_counts=1,2 and generate.samples_per_class=5) \\(from the command line\\)"
                        + " together: give one of them");
    }
}
