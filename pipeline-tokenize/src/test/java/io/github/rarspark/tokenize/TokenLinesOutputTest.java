package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code tokens.jsonl} of an output that another driver takes over. */
@Timeout(120)
class TokenLinesOutputTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    private Path temp;

    private TokenizeFixture fixture;

    @BeforeEach
    void prepare() throws IOException {
        fixture = new TokenizeFixture(temp);
    }

    @Test
    void linesAreNotPublishedWithoutTheClaim() throws Exception {
        // The lines begin with the manifest that was published before.
        JobContext context = losing("_plan.json", Manifest.NAME);
        assertFails(ExitCode.TEMPORARY, () -> TokenizeJob.run(context)).contains("_plan.json is gone");
        assertThat(fixture.output.resolve(Manifest.NAME)).exists();
        assertThat(fixture.output.resolve("tokens.jsonl")).doesNotExist();
    }

    @Test
    void linesAreNotAddedToAnOutputThatIsClaimedMeanwhile() throws Exception {
        TokenizeJob.run(SPARK.context(fixture.recipe()));
        JobContext context = losing(JobResult.NAME, "part-000-00003.parquet");
        assertFails(ExitCode.TEMPORARY, () -> TokenizeJob.run(context)).contains("another driver has begun");
        assertThat(fixture.output.resolve("tokens.jsonl")).doesNotExist();
    }

    /** A job with lines whose output loses the file {@code lost} when {@code opened} is opened. */
    private JobContext losing(String lost, String opened) {
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals(opened)) {
                Files.deleteIfExists(fixture.output.resolve(lost));
            }
        }));
        return new JobContext(SPARK.session(), storage, fixture.recipe("tokenize.jsonl", "true"), true);
    }
}
