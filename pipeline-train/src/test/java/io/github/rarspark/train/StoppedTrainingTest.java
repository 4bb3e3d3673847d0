package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A training that is asked to end early. */
@Timeout(600)
class StoppedTrainingTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    private static final String[] LONG = {"train.steps", "600", "train.checkpoint_every", "7", "train.anneal_end", "300"
    };

    private final ExecutorService pool = Executors.newSingleThreadExecutor();

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        pool.shutdownNow();
    }

    @Test
    void itSavesItsLastStepAndResumesWithTheSameBits() throws Exception {
        String tokens = Runs.tokens(folder);
        Path output = folder.resolve("run");
        Path last = output.resolve("checkpoints/LAST");
        JobContext context = SPARK.context(Runs.recipe(tokens, output, LONG));
        Future<JobResult> run = pool.submit(() -> TrainJob.run(context));
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(last));
        assertThat(context.stop().limit()).isEqualTo(Duration.ofSeconds(60));
        context.stop().make();
        assertThatThrownBy(() -> run.get(60, TimeUnit.SECONDS))
                .cause()
                .hasMessageMatching("The training was stopped; run the same command to resume from step \\d+")
                .satisfies(e -> assertThat(Failures.exitCode(e)).isEqualTo(ExitCode.INTERRUPTED));
        int step = Integer.parseInt(Files.readString(last).replaceAll("step-0*(\\d+)-.*\n", "$1"));
        assertThat(step).isBetween(7, 599);
        assertThat(output.resolve("result.json")).content().contains("\"exit_code\" : 130");

        TrainJob.run(SPARK.context(Runs.recipe(tokens, output, LONG)));
        assertThat(last).content().startsWith("step-000000600-a2-");
        Path undisturbed = folder.resolve("undisturbed");
        TrainJob.run(SPARK.context(Runs.recipe(tokens, undisturbed, LONG)));
        assertThat(Runs.model(output)).isEqualTo(Runs.model(undisturbed));
        assertThat(Files.readAllLines(output.resolve(MetricsLog.NAME))).hasSize(600);
    }

    /** Storage answers again only after that, so restart follows restart. */
    @Test
    void itEndsDuringThePauseBeforeARestart() throws Exception {
        Path output = folder.resolve("run");
        StopRequest stop = new StopRequest();
        AtomicInteger refused = new AtomicInteger();
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("_plan.json")
                    && Files.exists(output.resolve("checkpoints/LAST"))
                    && !stop.isRequested()) {
                refused.incrementAndGet();
                throw new IOException("Connection reset");
            }
        }));
        JobContext context =
                new JobContext(SPARK.session(), storage, Runs.recipe(Runs.tokens(folder), output, LONG), true, stop);
        Future<JobResult> run = pool.submit(() -> TrainJob.run(context));
        // The pauses are 1, 2, 4 and 8 s.
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> refused.get() >= 5 || run.isDone());
        assertThat(run).isNotDone();
        stop.make();
        assertThatThrownBy(() -> run.get(30, TimeUnit.SECONDS))
                .cause()
                .hasMessage("The training was stopped before a restart; run the same command to resume");
        assertThat(output.resolve("result.json")).content().contains("\"exit_code\" : 130");
        assertThat(output.resolve("_owner.json")).content().contains("\"lease_seconds\" : 0");
    }
}
