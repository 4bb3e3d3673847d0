package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeHashTest {
    private final SortedMap<String, String> settings = Recipes.load("demo").resultSettings("model", "train");

    /** A key that recipes gain must leave them as they are: its name belongs into RecipeHash.LATER_KEYS. */
    @ParameterizedTest
    @CsvSource({
        "demo, 3fdc6da59d5787f1821d3b3f09ba7a4896bb11ecfa7401a2541ec03bb0c00986, caa9f45feb9492f9c12308ece822ab7c01244350b5a7aa3dc4f9fb8e369706d0",
        "rar-s, 9aa6d016ff6586c3f803cfec29de64eaf9b1ac9d254fd1819f5850fe2687eb47, c5ec3ec6a023cf76b16bf99588a9329b2d3850af6204ce63348fd6cb6f43f903",
        "rar-b, 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, 1aaeb56f56a4bf451fd96e0b3d798e83f386ec31273acb91b9af02ade0cc1ee9",
        "rar-l, 810a830995053e6a1ae72287d0559d80c46ac2d176fdec8582dc6c8bedb6dc8b, 5826c8c0f5675fe4d9031293370f7e8b95ad407899ea15b2d72e67520fa0460c",
        "rar-xl, 2ee9936183b03a82d02b556a11ca4e2fc96bf53ce14b826752a4ef0ee680aa47, 833a95f8a459807242fb11b9153f9a21f2a9efee3d4e9cbe59084e56480aa9c0",
        "rar-xxl, 4d910d96e034173c1ef5d4b0744753e4ad6bfa5f3566fae1fa913331c79aecc6, fa28d25cf9ada56a587d105eea04a812648d041dbb19c31dcc450d9c4800f725"
    })
    void theHashesOfTheShippedRecipesStay(String name, String hash, String withDefaults) {
        Recipe recipe = Recipes.load(name);
        assertThat(RecipeHash.of(recipe.resultSettings())).isEqualTo(hash);
        SortedMap<String, String> earlier = recipe.resultSettings();
        earlier.put("generate.batch", Integer.toString(recipe.generate().batch()));
        earlier.put("generate.shard_images", name.equals("demo") ? "250" : "512");
        earlier.put("generate.threads", Integer.toString(recipe.generate().threads()));
        earlier.put("tokenize.batch", Integer.toString(recipe.tokenize().batch()));
        earlier.put("tokenize.threads", Integer.toString(recipe.tokenize().threads()));
        assertThat(RecipeHash.isWithDefaults(withDefaults, earlier))
                .as("with the keys that altered results")
                .isTrue();
    }

    @Test
    void aKeyAtItsDefaultDoesNotCount() {
        String hash = RecipeHash.of(settings);
        assertThat(settings.remove("train.bucket_mb")).isEqualTo("25");
        assertThat(RecipeHash.of(settings)).isEqualTo(hash);
        settings.put("train.bucket_mb", "26");
        assertThat(RecipeHash.of(settings)).isNotEqualTo(hash);
    }

    @Test
    void differencesAreNamed() {
        assertThat(RecipeHash.difference(settings, settings)).isEmpty();
        assertThat(difference(Map.of("train.lr", "0.01"))).isEqualTo("train.lr is 0.01, was 0.003");
        assertThat(difference(Map.of("train.steps", "400", "model.heads", "2")))
                .as("the first by name")
                .isEqualTo("model.heads is 2, was 4");
    }

    @Test
    void aDefaultThatHasChangedIsADifference() {
        SortedMap<String, String> earlier = Recipes.load("demo").resultSettings("model", "train");
        earlier.put("train.bucket_mb", "10");
        assertThat(RecipeHash.difference(settings, earlier)).contains("train.bucket_mb is 25, was 10");
    }

    @Test
    void anEarlierVersionHadTheDefaultsOfKeysItDidNotHave() {
        SortedMap<String, String> earlier = Recipes.load("demo").resultSettings("model", "train");
        earlier.remove("train.bucket_mb");
        assertThat(RecipeHash.difference(settings, earlier)).isEmpty();
        settings.put("train.bucket_mb", "26");
        assertThat(RecipeHash.difference(settings, earlier)).contains("train.bucket_mb is 26, was 25");
    }

    @Test
    void aKeyThatIsGoneIsADifference() {
        SortedMap<String, String> earlier = Recipes.load("demo").resultSettings("model", "train");
        earlier.put("train.lookahead", "5");
        assertThat(RecipeHash.difference(settings, earlier))
                .contains("train.lookahead was 5, which this version does not know");
    }

    @Test
    void aKeyThatNoLongerCountsIsNoDifference() {
        assertThat(settings).doesNotContainKey("train.micro_batch");
        SortedMap<String, String> earlier = Recipes.load("demo").resultSettings("model", "train");
        earlier.put("train.micro_batch", "8");
        assertThat(RecipeHash.difference(settings, earlier)).isEmpty();
    }

    @Test
    void hashesOfOlderVersionsCoveredAnyMicroBatch() {
        String ofEight = "3dd032b69d128ae279d87de57137a12ebc3e2bbc82e9e10b2ed59ad368eacabc";
        assertThat(RecipeHash.isWithDefaults(ofEight, settings)).isTrue();
        settings.put("train.lr", "0.01");
        assertThat(RecipeHash.isWithDefaults(ofEight, settings)).isFalse();
    }

    private String difference(Map<String, String> changes) {
        SortedMap<String, String> now = Recipes.load("demo").with(changes).resultSettings("model", "train");
        return RecipeHash.difference(now, settings).orElseThrow();
    }
}
