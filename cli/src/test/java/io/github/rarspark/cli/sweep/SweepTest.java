package io.github.rarspark.cli.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.conf.Recipes;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SweepTest {
    private static final Recipe RECIPE = Recipes.load("demo")
            .with(Map.of("fid.reference", "reference", "fid.features", "classifier:file", "generate.seed", "7"));

    private static Sweep sweep(String... options) {
        return Sweep.of(List.of(options), RECIPE);
    }

    @Test
    void pointsAreAllCombinationsInTheOrderGiven() {
        Sweep sweep = sweep("generate.guidance_scale=4,2.50", "generate.order=spiral-in,row-major");
        assertThat(sweep.points().stream().map(sweep::name))
                .containsExactly(
                        "guidance_scale=4_order=spiral-in",
                        "guidance_scale=4_order=row-major",
                        "guidance_scale=2.5_order=spiral-in",
                        "guidance_scale=2.5_order=row-major");
        Recipe third = sweep.points().get(2).recipe();
        assertThat(third.get("generate.guidance_scale")).isEqualTo("2.5");
        assertThat(third.get("generate.order")).isEqualTo("spiral-in");
        assertThat(third.get("generate.seed")).as("other settings stay").isEqualTo("7");
    }

    @Test
    void numbersAndChoicesThatAlterImagesCanBeSwept() {
        sweep("generate.seed=1,2", "generate.precision=fp32,bf16", "generate.temperature=0.5");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generate.guidance_scal=1,2 | Unknown key generate.guidance_scal (from --sweep); did you mean generate.guidance_scale",
                "guidance_scale=1,2 | Unknown key guidance_scale (from --sweep); did you mean generate.guidance_scale",
                "xyzzy=1,2 | Unknown key xyzzy (from --sweep): the keys to compare are generate.seed, ",
                "generate.count=5,9 | Cannot use --sweep with generate.count: the keys to compare are generate.seed, ",
                "generate.output=a,b | Cannot use --sweep with generate.output: the keys to compare are generate.seed, ",
                "generate.weights=a,b | Cannot use --sweep with generate.weights: ",
                "generate.batch=1,2 | Cannot use --sweep with generate.batch: ",
                "generate.tokens=true,false | Cannot use --sweep with generate.tokens: ",
                "generate.classes=1,2 | Cannot use --sweep with generate.classes: ",
                "train.lr=1,2 | Cannot use --sweep with train.lr: ",
                "seed=1,2 | Cannot use --sweep with seed: ",
                "generate.seed | Cannot use --sweep generate.seed: expected KEY=VALUE,VALUE,...",
                "generate.seed= | Cannot use --sweep generate.seed=: a value is empty",
                "generate.seed=1,,2 | Cannot use --sweep generate.seed=1,,2: a value is empty",
                "generate.guidance_scale=2,2.0 | the value 2 is listed twice; remove one",
                "generate.guidance_scale=2,x | Cannot use generate.guidance_scale=x (from --sweep): give number of at least 0",
                "generate.temperature=0 | Cannot use generate.temperature=0 (from --sweep): give number above 0",
            })
    void whatCannotBeSweptIsOneLine(String option, String message) {
        assertRefused(message, option);
    }

    @Test
    void aKeyIsGivenOnce() {
        assertRefused(
                "Cannot use --sweep generate.seed twice: give all values at once",
                "generate.seed=1",
                "generate.guidance_scale=1",
                "generate.seed=2");
    }

    @Test
    void thereMayBeAHundredPoints() {
        String ten = IntStream.range(0, 10).mapToObj(Integer::toString).collect(Collectors.joining(","));
        assertThat(sweep("generate.seed=" + ten, "generate.guidance_scale=" + ten)
                        .points())
                .hasSize(100);
        assertRefused(
                "Cannot use --sweep with 110 combinations of values: the maximum number is 100",
                "generate.seed=" + ten + ",11",
                "generate.guidance_scale=" + ten);
    }

    @ParameterizedTest
    @CsvSource({"fid.reference, --set fid.reference=", "fid.features, --set fid.features="})
    void whatTheImagesAreComparedWithIsGiven(String key, String remedy) {
        Recipe recipe = RECIPE.with(Map.of(key, ""));
        assertThatThrownBy(() -> Sweep.of(List.of("generate.seed=1,2"), recipe))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("Cannot use --sweep without " + key)
                .hasMessageContaining(remedy);
    }

    private static void assertRefused(String message, String... options) {
        assertThatThrownBy(() -> sweep(options))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }
}
