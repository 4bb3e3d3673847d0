package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TinyPipeline;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/**
 * The four jobs on 200 images with a model of two layers, as a user runs them on a cluster: each reads what the one before
 * wrote below a root of any file system. Two ranks train for 20 steps.
 *
 * @param tiny images and weights
 * @param root the URI of the folder for the outputs
 */
record FourJobs(TinyPipeline tiny, String root) {
    /** The commands, in their order. */
    static final List<String> COMMANDS = List.of("tokenize", "train", "generate", "fid");

    private static final int IMAGES = 200;

    /** Writes the inputs into {@code folder}; the outputs go below {@code root}. */
    static FourJobs write(Path folder, String root) throws IOException {
        return new FourJobs(TinyPipeline.write(folder, IMAGES), root);
    }

    /** The same inputs with other outputs. */
    FourJobs into(String otherRoot) {
        return new FourJobs(tiny, otherRoot);
    }

    /** The URI of a command's output. */
    String output(String command) {
        return Storage.child(root, command);
    }

    /** The settings of all commands but the device. */
    Map<String, String> settings() {
        Map<String, String> values = new TreeMap<>();
        COMMANDS.forEach(command -> values.put(command + ".output", output(command)));
        values.put("tokenize.input", tiny.images().toUri().toString());
        values.put("tokenize.tokenizer", tiny.tokenizer().toUri().toString());
        values.put("tokenize.shard_images", "50");
        values.put("train.tokens", output("tokenize"));
        values.put("train.ranks", "2");
        values.put("train.batch", "8");
        values.put("train.steps", "20");
        values.put("train.warmup_steps", "2");
        values.put("train.anneal_start", "5");
        values.put("train.anneal_end", "15");
        values.put("train.checkpoint_every", "2");
        values.put("train.sample_every", "0");
        values.put("generate.weights", Storage.child(output("train"), "model.safetensors"));
        values.put("generate.tokenizer", tiny.tokenizer().toUri().toString());
        values.put("fid.samples", output("generate"));
        values.put("fid.reference", tiny.images().toUri().toString());
        values.put("fid.features", "classifier:" + tiny.classifier().toUri());
        return values;
    }

    /** The arguments of a command line that runs {@code command}. */
    List<String> arguments(String command, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of(command, "--recipe", tiny.recipe().toUri().toString()));
        settings().forEach((key, value) -> {
            arguments.add("--set");
            arguments.add(key + "=" + value);
        });
        arguments.addAll(List.of(more));
        return arguments;
    }

    /** Runs the four jobs in a session, in this process. */
    void run(SparkSession session, Map<String, String> more) throws Exception {
        JobContext context = context(session, more);
        TokenizeJob.run(context);
        TrainJob.run(context);
        GenerateJob.run(context);
        FidJob.run(context);
    }

    /** What a single job runs with. */
    JobContext context(SparkSession session, Map<String, String> more) throws IOException {
        Map<String, String> values = new HashMap<>(settings());
        values.putAll(more);
        Recipe recipe =
                Recipe.resolve(Layer.commandLine(values), Recipes.parse(Files.readString(tiny.recipe()), "tiny"));
        return JobContext.of(session, recipe, true);
    }

    /** Copies the inputs below {@code folder} of any file system; returns the settings that name them there. */
    Map<String, String> upload(Storage storage, String folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(tiny.folder())) {
            files = all.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            storage.putBytes(folder + "/" + tiny.folder().relativize(file), Files.readAllBytes(file));
        }
        String here = tiny.folder().toUri().toString();
        Map<String, String> inputs = new HashMap<>();
        settings().forEach((key, value) -> {
            if (value.contains(here)) {
                inputs.put(key, value.replace(here, folder + "/"));
            }
        });
        return inputs;
    }

    /** What undisturbed threads of this process make of the same inputs. */
    Map<String, String> expected(Path folder) throws Exception {
        FourJobs here = into(folder.resolve("expected").toUri().toString());
        try (SparkSession session = LocalSpark.start(2)) {
            here.run(session, Map.of());
        }
        return here.contents(new Storage(new Configuration()));
    }

    /** The SHA-256 of what readers trust in the outputs, and the scores, by name. */
    Map<String, String> contents(Storage storage) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        for (String shard : storage.list(output("tokenize"))) {
            if (shard.startsWith("part-")) {
                contents.put(shard, storage.sha256(Storage.child(output("tokenize"), shard)));
            }
        }
        assertThat(contents).as("shards of tokens").hasSize(4);
        for (String file : List.of("train/model.safetensors", "generate/samples.npz")) {
            contents.put(file, storage.sha256(Storage.child(root, file)));
        }
        contents.put("scores", result(storage, "fid").metrics().toString());
        return contents;
    }

    /** The result of a command. */
    JobResult result(Storage storage, String command) throws IOException {
        return storage.readJson(Storage.child(output(command), JobResult.NAME), JobResult.class);
    }
}
