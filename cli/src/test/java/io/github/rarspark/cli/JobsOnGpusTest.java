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
import io.github.rarspark.common.testing.TinyPipeline;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.DecodeJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.testing.FakeGpus;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
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
    /** Two in each of the three blocks and one at the end, by the recipe. */
    private static final int NORMALIZATIONS_OF_DECODER = 7;

    /** Of the stage that computes features, at least. */
    private static final int IMAGES_OF_A_TASK = 500;

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
        values.put("decode.tokens", output.resolve("tokens").toString());
        values.put("decode.tokenizer", tiny.tokenizer().toString());
        values.put("decode.output", output.resolve("decoded").toString());
        values.put("decode.batch", "8");
        values.put("decode.shard_images", "30");
        values.put("fid.samples", output.resolve("images").toString());
        values.put("fid.reference", folder.resolve("reference").toString());
        values.put("fid.features", "classifier:" + tiny.classifier());
        values.put("fid.output", output.resolve("score").toString());
        return Recipe.resolve(Layer.commandLine(values), Recipes.parse(Files.readString(tiny.recipe()), "tiny"));
    }

    /** Enough images for two tasks. */
    private void writeReference() throws IOException {
        Path images = Files.createDirectories(folder.resolve("reference/class-0"));
        for (int i = 0; i < 2 * IMAGES_OF_A_TASK; i++) {
            byte[] pixels = new byte[RgbImage.CHANNELS * TinyPipeline.SIDE * TinyPipeline.SIDE];
            new Random(i).nextBytes(pixels);
            Files.write(
                    images.resolve(i + ".png"),
                    PngEncoder.encode(new RgbImage(TinyPipeline.SIDE, TinyPipeline.SIDE, pixels)));
        }
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
        results.put("decode", DecodeJob.run(context));
        worked.accept("decode");
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
        writeReference();
        Map<String, JobResult> onGpus;
        JsonNode stages;
        JsonNode profiles;
        try (SparkSession session =
                ClusterGpus.start(folder, Map.of("spark.ui.enabled", "true", "spark.ui.port", "0"))) {
            Map<String, Long> before = new TreeMap<>();
            long[] normalizations = {0};
            onGpus = run(session, recipe(tiny, "gpu"), job -> {
                assertComputedOnItsOwn(session, job, before);
                long now = normalizations(session);
                // Two shards of 12 images in batches of 8 and 4, and of 30 in 8, 8, 8 and 6.
                Map<String, Integer> groups = Map.of("generate", 2 * 2, "decode", 2 * 4);
                if (groups.containsKey(job)) {
                    assertThat(now - normalizations[0])
                            .as("normalizations of %s", job)
                            .isEqualTo(groups.get(job) * (long) NORMALIZATIONS_OF_DECODER);
                }
                normalizations[0] = now;
            });
            stages = rest(session, "stages");
            profiles = rest(session, "environment").get("resourceProfiles");
        }
        Map<String, JobResult> onCpus;
        try (SparkSession session = LocalSpark.start(2)) {
            onCpus = run(session, recipe(tiny, "cpu"), job -> {});
        }
        for (String output : List.of("images", "decoded")) {
            assertThat(Files.readString(folder.resolve("gpu").resolve(output).resolve("_plan.json")))
                    .as("what decides the bytes of " + output)
                    .contains("\"batch\"");
        }
        onGpus.forEach((job, result) -> {
            assertThat(result.device()).as(job).isEqualTo("gpu");
            JobResult expected = onCpus.get(job);
            assertThat(expected.device()).as(job).isEqualTo("cpu");
            assertThat(result.counts()).as(job).isEqualTo(expected.counts());
            expected.metrics().forEach((name, value) -> {
                if (!name.endsWith("_per_second") && !name.equals("encoding_waited")) { // which are times
                    assertThat(result.metrics().get(name))
                            .as(job + " " + name)
                            .isCloseTo(value, within(TOLERANCE * Math.max(1, Math.abs(value))));
                }
            });
        });
        assertThat(gpusOf(stages, profiles, "tokenize ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "train ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "generate ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "decode ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "features ")).isEqualTo(1);
        assertThat(gpusOf(stages, profiles, "evaluate ")).isEqualTo(1);
    }

    /** Each GPU was used, by the tasks that Spark gave it to, and by no other. */
    private static void assertComputedOnItsOwn(SparkSession session, String job, Map<String, Long> before) {
        ofExecutors(session, () -> List.of(FakeGpus.allocations(0), FakeGpus.allocations(1)))
                .forEach((address, allocations) -> {
                    int own = Integer.parseInt(address);
                    assertThat(allocations.get(own))
                            .as("allocations of %s on GPU %s", job, address)
                            .isGreaterThan(before.getOrDefault(address, 0L));
                    assertThat(allocations.get(1 - own))
                            .as("allocations of %s on another than GPU %s", job, address)
                            .isZero();
                    before.put(address, allocations.get(own));
                });
    }

    /** The group normalizations so far, of which tokenizers have some and other models none. */
    private static long normalizations(SparkSession session) {
        return ofExecutors(session, () -> FakeGpus.counts().getOrDefault("aten::native_group_norm", 0L))
                .values()
                .stream()
                .mapToLong(n -> n)
                .sum();
    }

    private interface Reading<T> extends Supplier<T>, Serializable {}

    /** What each executor reads, by the address that its tasks get. */
    private static <T> Map<String, T> ofExecutors(SparkSession session, Reading<T> reading) {
        Map<String, T> all = new TreeMap<>();
        Awaitility.await().atMost(LIMIT).until(() -> {
            UnitTasks.run(
                    session,
                    new JobDevice(true, false),
                    List.of(1, 2),
                    unit -> Map.of(TaskContext.get().resources().apply("gpu").addresses()[0], reading.get()),
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
