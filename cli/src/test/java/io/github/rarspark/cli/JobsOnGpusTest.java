package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.kernel.testing.FakeGpus;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jobs on two executors with a GPU each, which is emulated: what differs from CPUs is where tensors are. */
@Tag("clusters")
@Timeout(600)
class JobsOnGpusTest {
    private static final double TOLERANCE = 1e-3;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private Recipe recipe(TinyPipeline tiny, String device) throws IOException {
        Path output = folder.resolve(device);
        Map<String, String> values = new HashMap<>();
        values.put("compute.device", device);
        values.put("tokenize.input", tiny.images().toString());
        values.put("tokenize.tokenizer", tiny.tokenizer().toString());
        values.put("tokenize.output", output.resolve("tokens").toString());
        values.put("tokenize.shard_images", "10");
        values.put("train.tokens", output.resolve("tokens").toString());
        values.put("train.tokenizer", tiny.tokenizer().toString());
        values.put("train.output", output.resolve("run").toString());
        values.put("train.batch", "8");
        values.put("train.steps", "6");
        values.put("train.warmup_steps", "2");
        values.put("train.anneal_start", "2");
        values.put("train.anneal_end", "4");
        values.put("train.sample_every", "6");
        values.put("train.checkpoint_every", "3");
        values.put("train.ema_decay", "0.9");
        values.put("model.dropout", "0.1");
        values.put("generate.weights", output.resolve("run/model.safetensors").toString());
        values.put("generate.tokenizer", tiny.tokenizer().toString());
        values.put("generate.output", output.resolve("images").toString());
        values.put("fid.samples", output.resolve("images").toString());
        values.put("fid.reference", tiny.images().toString());
        values.put("fid.features", "classifier:" + tiny.classifier());
        values.put("fid.output", output.resolve("score").toString());
        return Recipe.resolve(Layer.commandLine(values), Recipes.parse(Files.readString(tiny.recipe()), "tiny"));
    }

    /** @param worked called after each job, with its name */
    private static Map<String, JobResult> run(SparkSession session, Recipe recipe, Consumer<String> worked)
            throws Exception {
        JobContext context = JobContext.of(session, recipe, true);
        Map<String, JobResult> results = new LinkedHashMap<>();
        results.put("tokenize", TokenizeJob.run(context));
        worked.accept("tokenize");
        results.put("train", TrainJob.run(context));
        worked.accept("train");
        results.put("generate", GenerateJob.run(context));
        worked.accept("generate");
        results.put("fid", FidJob.run(context));
        worked.accept("fid");
        Recipe evaluation = recipe.with(Map.of(
                "train.evaluate",
                "true",
                "train.init",
                recipe.generate().weights(),
                "train.output",
                recipe.train().output() + "-evaluated"));
        results.put("evaluate", TrainJob.run(context.with(evaluation)));
        worked.accept("evaluate");
        return results;
    }

    @Test
    void theyScoreAsOnCpusAndSparkCountsTheGpus() throws Exception {
        TinyPipeline tiny = TinyPipeline.write(folder);
        Map<String, JobResult> onGpus;
        JsonNode stages;
        JsonNode profiles;
        try (SparkSession session =
                ClusterGpus.start(folder, Map.of("spark.ui.enabled", "true", "spark.ui.port", "0"))) {
            Map<String, Long> before = new TreeMap<>();
            onGpus = run(
                    session, recipe(tiny, "gpu"), job -> allocations(session).forEach((address, devices) -> {
                        int own = Integer.parseInt(address);
                        assertThat(devices.get(own))
                                .as("allocations of %s on GPU %s", job, address)
                                .isGreaterThan(before.getOrDefault(address, 0L));
                        assertThat(devices.get(1 - own))
                                .as("allocations of %s on another than GPU %s", job, address)
                                .isZero();
                        before.put(address, devices.get(own));
                    }));
            stages = rest(session, "stages");
            profiles = rest(session, "environment").get("resourceProfiles");
        }
        Map<String, JobResult> onCpus;
        try (SparkSession session = LocalSpark.start(2)) {
            onCpus = run(session, recipe(tiny, "cpu"), job -> {});
        }
        onGpus.forEach((job, result) -> {
            assertThat(result.device()).as(job).isEqualTo("gpu");
            JobResult expected = onCpus.get(job);
            assertThat(expected.device()).as(job).isEqualTo("cpu");
            assertThat(result.counts()).as(job).isEqualTo(expected.counts());
            expected.metrics().forEach((name, value) -> {
                if (!name.endsWith("_per_second")) {
                    assertThat(result.metrics().get(name))
                            .as(job + " " + name)
                            .isCloseTo(value, within(TOLERANCE * Math.max(1, Math.abs(value))));
                }
            });
        });
        assertThat(gpusOf(stages, profiles, "tokenize ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "train ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "generate ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "features ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "evaluate ")).isEqualTo(1);
    }

    /** By the address that an executor's tasks get: how often memory was allocated on each of the GPUs that it sees. */
    private static Map<String, List<Long>> allocations(SparkSession session) {
        Map<String, List<Long>> all = new TreeMap<>();
        Awaitility.await().atMost(LIMIT).until(() -> {
            UnitTasks.run(
                    session,
                    new JobDevice(true, false),
                    List.of(1, 2),
                    unit -> Map.of(
                            TaskContext.get().resources().apply("gpu").addresses()[0],
                            List.of(FakeGpus.allocations(0), FakeGpus.allocations(1))),
                    all::putAll);
            return all.size() == 2;
        });
        return all;
    }

    /** What Spark's UI shows, of its REST interface. */
    private static JsonNode rest(SparkSession session, String page) throws IOException {
        SparkContext context = session.sparkContext();
        return new ObjectMapper()
                .readTree(URI.create(context.uiWebUrl().get() + "/api/v1/applications/" + context.applicationId() + "/"
                                + page)
                        .toURL());
    }

    /** The GPUs of a task of the first stage whose description starts with {@code sentence}. */
    private static double gpusOf(JsonNode stages, JsonNode profiles, String sentence) {
        for (JsonNode stage : stages) {
            if (stage.path("description").asText().startsWith(sentence)) {
                for (JsonNode profile : profiles) {
                    if (profile.get("id").equals(stage.get("resourceProfileId"))) {
                        return profile.at("/taskResources/gpu/amount").asDouble();
                    }
                }
            }
        }
        throw new AssertionError("No stage of " + sentence + " among " + stages);
    }
}
