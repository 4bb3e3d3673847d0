package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BadLimitTest {
    @ParameterizedTest
    @CsvSource({
        "0, 1000, 0",
        "100, 3, 100",
        "0%, 1000, 0",
        "0.1%, 999, 0",
        "0.1%, 1000, 1",
        "0.1%, 1281167, 1281",
        "12.5%, 17, 2",
        "100%, 1281167, 1281167"
    })
    void aShareIsRoundedDown(String text, long images, long most) {
        assertThat(BadLimit.parse(text).of(images)).isEqualTo(most);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "0.1", "1e3", "%", "101%", "100.1%", "1 %", "-1%", "9999999999999999999", "many"})
    void anythingElseIsRefused(String text) {
        assertThatThrownBy(() -> BadLimit.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void itSurvivesYamlInOneNotation() {
        Recipe recipe = Recipes.load("demo").with(Map.of("tokenize.max_bad", "010", "fid.max_bad", "0.10%"));
        assertThat(recipe.get("tokenize.max_bad")).isEqualTo("10");
        assertThat(recipe.get("fid.max_bad")).isEqualTo("0.1%");
        assertThat(Recipe.resolve(Recipes.parse(recipe.toYaml(), "a test"))).isEqualTo(recipe);
        assertThat(recipe).isNotEqualTo(Recipes.load("demo"));
    }
}
