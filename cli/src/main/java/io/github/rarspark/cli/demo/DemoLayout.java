package io.github.rarspark.cli.demo;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the demo puts things, and the recipes of its jobs.
 *
 * @param output the demo's folder
 */
record DemoLayout(String output) {

    static final String IMAGES = "images.parquet";
    static final String TOKENIZER = "tokenizer.safetensors";
    static final String CLASSIFIER = "classifier.safetensors";
    static final List<String> DATA = List.of(IMAGES, TOKENIZER, CLASSIFIER);

    String data(String name) {
        return path("data/" + name);
    }

    String metrics() {
        return path("run/metrics.jsonl");
    }

    String grid() {
        return path("samples/grid.png");
    }

    String untrainedWeights() {
        return path("untrained/model.safetensors");
    }

    /** The recipe of the jobs that make pictures. */
    Recipe trained(Recipe recipe) {
        Map<String, String> places = new HashMap<>();
        places.put("tokenize.input", data(IMAGES));
        places.put("tokenize.tokenizer", data(TOKENIZER));
        places.put("tokenize.output", path("tokens"));
        places.put("train.tokens", path("tokens"));
        places.put("train.tokenizer", data(TOKENIZER));
        places.put("train.output", path("run"));
        places.putAll(generateAndScore(path("run/model.safetensors"), "samples", "score"));
        places.put("fid.floor", "true");
        return recipe.with(places);
    }

    /** The recipe of the same pictures from a model that has not been trained. */
    Recipe untrained(Recipe recipe) {
        return recipe.with(generateAndScore(untrainedWeights(), "untrained/samples", "untrained/score"));
    }

    private Map<String, String> generateAndScore(String weights, String samples, String score) {
        return Map.of(
                "generate.weights", weights,
                "generate.tokenizer", data(TOKENIZER),
                "generate.output", path(samples),
                "fid.samples", path(samples),
                "fid.reference", data(IMAGES),
                "fid.features", "classifier:" + data(CLASSIFIER),
                "fid.output", path(score),
                "fid.cache", path("features"));
    }

    private String path(String name) {
        return Storage.child(output, name);
    }
}
