package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeSourceTest {
    private static final Map<String, String> GPU = Map.of("compute.device", "gpu");

    @TempDir
    private Path folder;

    private static int ranks(Map<String, String> commandLine, SparkConf conf, String recipe) throws IOException {
        return RecipeSource.resolve(commandLine, conf, recipe).train().ranks();
    }

    private static SparkConf conf() {
        return new SparkConf(false);
    }

    @Test
    void theDemoHasOneRankInALocalRunOnAGpu() throws IOException {
        assertThat(ranks(GPU, conf(), "demo")).isEqualTo(1);
        assertThat(ranks(GPU, conf().set("spark.master", "local[*]"), "demo")).isEqualTo(1);
        assertThat(ranks(Map.of(), conf().set("spark.rar.compute.device", "gpu"), "demo"))
                .isEqualTo(1);
    }

    @Test
    void elsewhereItHasTheRecipesRanks() throws IOException {
        assertThat(ranks(Map.of(), conf(), "demo")).isEqualTo(2);
        assertThat(ranks(Map.of("compute.device", "cpu"), conf(), "demo")).isEqualTo(2);
        assertThat(ranks(GPU, conf().set("spark.master", "yarn"), "demo")).isEqualTo(2);
        assertThat(ranks(GPU, conf().set("spark.master", "local-cluster[2,1,1024]"), "demo"))
                .isEqualTo(2);
    }

    @Test
    void whatTheUserGivesStays() throws IOException {
        Map<String, String> both = Map.of("compute.device", "gpu", "train.ranks", "2");
        assertThat(ranks(both, conf(), "demo")).isEqualTo(2);
        assertThat(ranks(GPU, conf().set("spark.rar.train.ranks", "2"), "demo")).isEqualTo(2);
        Path own = folder.resolve("own.yaml");
        Files.writeString(own, "extends: demo\ntrain: {ranks: 4}\n");
        assertThat(ranks(GPU, conf(), own.toString())).isEqualTo(4);
    }
}
