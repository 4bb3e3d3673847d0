package io.github.rarspark.common.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.ClaimSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTest {
    private static final Map<String, String> INPUTS = Map.of("tokens", "t1");
    private static final Map<String, String> UNITS = Map.of("shards", "4");

    @TempDir
    Path temp;

    private final Recipe recipe = Recipes.load("demo");

    private static Plan plan(Recipe recipe) {
        return Plan.of("train", recipe.resultSettings("model", "train"), INPUTS, UNITS);
    }

    @Test
    void settingsAreStoredBesideWhatIsHashed() {
        Plan plan = plan(recipe);
        Plan read = Json.read(Json.pretty(plan), Plan.class, "plan");
        assertThat(read).isEqualTo(plan);
        assertThat(read.settings()).containsEntry("train.bucket_mb", "25").doesNotContainKey("train.output");
        assertThat(Json.line(read)).contains("\"settings\"");
        String hashed =
                "{\"command\":\"train\",\"recipe_sha256\":\"%s\",\"inputs\":{\"tokens\":\"t1\"},\"units\":{\"shards\":\"4\"}}"
                        .formatted(plan.recipeSha256());
        assertThat(plan.sha256()).isEqualTo(Sha256.of(hashed.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void theDeviceIsPartOfThePlanUnlessItIsTheCpu() {
        Plan plan = plan(recipe);
        assertThat(plan.on("cpu")).isEqualTo(plan);
        assertThat(Json.line(plan)).doesNotContain("device");
        Plan onGpu = plan.on("gpu");
        assertThat(Json.read(Json.pretty(onGpu), Plan.class, "plan")).isEqualTo(onGpu);
        assertThat(onGpu.sha256()).isNotEqualTo(plan.sha256());
        assertThat(onGpu.sameWork(plan)).isFalse();
        assertThat(onGpu.difference(plan)).isEqualTo("compute.device is gpu, was cpu");
        assertThat(onGpu.sameWork(plan.on("gpu"))).isTrue();
    }

    @Test
    void theSettingThatDiffersIsNamed() {
        Plan other = plan(recipe.with(Map.of("train.lr", "0.01")));
        assertThat(plan(recipe).sameWork(plan(recipe))).isTrue();
        assertThat(plan(recipe).sameWork(other)).isFalse();
        assertThat(plan(recipe).difference(other)).isEqualTo("train.lr is 0.003, was 0.01");
        Plan elsewhere = plan(recipe.with(Map.of("train.output", "s3a://bucket/run")));
        assertThat(elsewhere.sameWork(plan(recipe))).isTrue();
    }

    @Test
    void aMicroBatchThatAnEarlierPlanStoredIsNoDifference() {
        SortedMap<String, String> stored = new TreeMap<>(plan(recipe).settings());
        stored.put("train.micro_batch", "8");
        Plan earlier = Plan.of("train", stored, INPUTS, UNITS);
        assertThat(plan(recipe).sameWork(earlier)).isTrue();
        assertThat(earlier.sha256())
                .as("the one that finished parts carry stays")
                .isNotEqualTo(plan(recipe).sha256());
    }

    /**
     * As versions wrote it that stored no settings; the recipe's hash is theirs of the demo's model and training, the
     * second with a micro-batch of 8.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "230e21f7ea2a713d09e7acf71e8c25a42864b05cd246c1b0e7d5596601a1fa3c",
                "3dd032b69d128ae279d87de57137a12ebc3e2bbc82e9e10b2ed59ad368eacabc"
            })
    void anUnfinishedOutputWhoseHashCoversDefaultsIsFinished(String recipeHash) throws Exception {
        Storage storage = new Storage(new Configuration());
        String directory = temp.resolve("out").toUri().toString();
        String plan = ("{\"command\":\"train\",\"recipe_sha256\":\"%s\","
                        + "\"inputs\":{\"tokens\":\"t1\"},\"units\":{\"shards\":\"7\"}}")
                .formatted(recipeHash);
        String hash = Sha256.of(plan.getBytes(StandardCharsets.UTF_8));
        storage.putString(
                Storage.child(directory, "_plan.json"),
                "{\"plan_sha256\":\"%s\",\"plan\":%s,\"attempt\":1,\"owner\":\"gone\",\"started\":\"2020-01-01T00:00:00Z\"}"
                        .formatted(hash, plan));

        RunOutput output = new RunOutput(storage, directory, new ClaimSettings(1, 1), line -> {});
        Recipe changed = recipe.with(Map.of("train.lr", "0.01"));
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> output.claim(plan(changed))))
                .hasMessageContaining("it belongs to another run, the recipe differs");
        try (OutputClaim claim = output.claim(plan(recipe)).orElseThrow()) {
            assertThat(claim.attempt()).isEqualTo(2);
            assertThat(claim.plan().sha256())
                    .as("the one that finished shards carry")
                    .isEqualTo(hash);
            assertThat(claim.plan().unit("shards")).isEqualTo(7);
        }
        output.claim(plan(recipe)).orElseThrow().close();
    }
}
