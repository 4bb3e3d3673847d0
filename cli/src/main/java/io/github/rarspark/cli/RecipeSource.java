package io.github.rarspark.cli;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.conf.Recipes;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import scala.Tuple2;

/** Resolves the recipe of a command: command line over Spark configuration over recipe over defaults. */
final class RecipeSource {

    private RecipeSource() {}

    /**
     * Returns the recipe. Of a shipped one, the number of ranks is for CPUs: in a local run on a GPU, which is one process,
     * it is 1 unless the user gives it.
     *
     * @param commandLine keys set by options
     * @param sparkConf the configuration of spark-submit, including {@code spark.master}
     * @param recipe a shipped recipe's name, a file or a URI
     * @throws RecipeException on a wrong key, value or combination
     */
    static Recipe resolve(Map<String, String> commandLine, SparkConf sparkConf, String recipe) throws IOException {
        Map<String, String> spark = new LinkedHashMap<>();
        if (sparkConf.contains("spark.master")) {
            spark.put(Layer.SPARK_PREFIX + "spark.master", sparkConf.get("spark.master"));
        }
        for (Tuple2<String, String> entry : sparkConf.getAll()) {
            spark.put(entry._1(), entry._2());
        }
        Layer options = Layer.commandLine(commandLine);
        Layer submitted = Layer.sparkConf(spark);
        Layer given = layer(recipe, sparkConf);
        Recipe resolved = Recipe.resolve(options, submitted, given);
        boolean oneRank = Recipes.names().contains(recipe)
                && StageResources.isLocalRunOnGpu(
                        resolved.spark().master(), resolved.compute().device());
        return oneRank
                ? Recipe.resolve(
                        options, submitted, new Layer("a local run on a GPU", Map.of("train.ranks", "1")), given)
                : resolved;
    }

    private static Layer layer(String recipe, SparkConf sparkConf) throws IOException {
        boolean looksLikeFile = recipe.contains("/") || recipe.endsWith(".yaml") || recipe.endsWith(".yml");
        if (Recipes.names().contains(recipe) || !looksLikeFile) {
            return Recipes.layer(recipe);
        }
        try {
            return Recipes.parse(text(CommandStorage.of(sparkConf), recipe), recipe);
        } catch (FileNotFoundException e) {
            throw (IOException)
                    new FileNotFoundException("Cannot read --recipe " + recipe + ": it does not exist").initCause(e);
        }
    }

    /** Unlike an input, a recipe is read once, so it may come from a pipe: {@code --recipe <(...)}. */
    private static String text(Storage storage, String recipe) throws IOException {
        Optional<Path> local = storage.localPath(recipe);
        return local.isPresent() && storage.isSpecial(recipe)
                ? new String(Files.readAllBytes(local.get()), StandardCharsets.UTF_8)
                : storage.readString(recipe);
    }
}
