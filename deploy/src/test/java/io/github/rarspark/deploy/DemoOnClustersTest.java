package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.StandaloneCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs at the size of the demo, on two executors of one core: docs/performance.md has what they print. */
@Tag("clusters")
@Tag("soak")
@Timeout(3600)
class DemoOnClustersTest {
    private static final Path DATA = Path.of("..", "demo").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void onStandalone() throws Exception {
        try (StandaloneCluster cluster = StandaloneCluster.start(folder.resolve("cluster"), 2)) {
            run("Standalone", cluster.session(Map.of()));
        }
    }

    @Test
    void onYarn() throws Exception {
        try (YarnCluster yarn = YarnCluster.start(folder.resolve("yarn"))) {
            Path types = Path.of("yarn", "resource-types.xml");
            run(
                    "YARN",
                    yarn.session(Map.of("spark.yarn.dist.files", types.toUri().toString())));
        }
    }

    @Test
    void onKubernetes() throws Exception {
        try (KubernetesCluster cluster = KubernetesCluster.start(folder.resolve("cluster"), 2)) {
            run("Kubernetes", cluster.session());
        }
    }

    private void run(String manager, SparkSession session) throws Exception {
        SparkSessions.awaitSlots(session, 2, Duration.ofSeconds(90));
        JobContext context = JobContext.of(session, recipe(), true);
        JobResult tokens = TokenizeJob.run(context);
        JobResult training = TrainJob.run(context);
        JobResult images = GenerateJob.run(context);
        JobResult score = FidJob.run(context);
        System.out.printf(
                Locale.ROOT,
                "%s: tokenize %.1f s, train %.1f s, generate %.1f s, fid %.1f s; loss %.3f, fd %.2f%n",
                manager,
                tokens.seconds(),
                training.seconds(),
                images.seconds(),
                score.seconds(),
                training.metrics().get("loss"),
                score.metrics().get("fd"));
        assertThat(tokens.counts()).containsEntry("rows", 20_000L);
        assertThat(training.counts()).containsEntry("steps", 500L).containsEntry("restarts", 0L);
        assertThat(training.metrics().get("loss")).isBetween(4.1, 4.3);
        assertThat(score.metrics().get("fd")).isLessThan(30);
    }

    private Recipe recipe() {
        String tokenizer = DATA.resolve("tokenizer.safetensors").toUri().toString();
        String images = DATA.resolve("images.parquet").toUri().toString();
        Map<String, String> values = new HashMap<>();
        FourJobs.COMMANDS.forEach(command -> values.put(command + ".output", output(command)));
        values.put("tokenize.input", images);
        values.put("tokenize.tokenizer", tokenizer);
        values.put("train.tokens", output("tokenize"));
        values.put("train.tokenizer", tokenizer);
        values.put("generate.weights", Storage.child(output("train"), "model.safetensors"));
        values.put("generate.tokenizer", tokenizer);
        values.put("fid.samples", output("generate"));
        values.put("fid.reference", images);
        values.put(
                "fid.features",
                "classifier:" + DATA.resolve("classifier.safetensors").toUri());
        return Recipe.resolve(Layer.commandLine(values), Recipes.layer("demo"));
    }

    private String output(String command) {
        return Storage.child(folder.toUri().toString(), command);
    }
}
