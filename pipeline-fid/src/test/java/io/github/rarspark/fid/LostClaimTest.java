package io.github.rarspark.fid;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Scoring ends at the next step after the claim is lost. */
class LostClaimTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    @TempDir
    private Path folder;

    /** The folders of features, one per set, that were opened while scoring. */
    private final Set<String> opened = new LinkedHashSet<>();

    @Test
    void afterTheFirstSetTheSecondIsNotRead() throws IOException {
        scoreAndLoseTheClaimIn(1);
        assertThat(opened).hasSize(1);
    }

    @Test
    void afterBothSetsNoScoreIsReturned() throws IOException {
        scoreAndLoseTheClaimIn(2);
        assertThat(opened).hasSize(2);
    }

    private void scoreAndLoseTheClaimIn(int set) throws IOException {
        Recipe recipe = recipe();
        OutputClaim[] scoring = new OutputClaim[1];
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (scoring[0] != null && path.getName().startsWith("features-")) {
                opened.add(path.getParent().getName());
                if (opened.size() == set) {
                    Files.deleteIfExists(folder.resolve("out/_plan.json"));
                    assertFails(ExitCode.TEMPORARY, scoring[0]::check);
                }
            }
        }));
        FidJob job = FidJob.open(new JobContext(SPARK.session(), storage, recipe, true));
        try (OutputClaim claim = Claims.claim(storage, job.output(), job.plan())) {
            FidJob.Computed computed = job.runMissing(claim);
            scoring[0] = claim;
            assertFails(ExitCode.TEMPORARY, () -> job.commit(claim, computed)).contains("_plan.json is gone");
        }
    }

    private Recipe recipe() throws IOException {
        int side = TinyClassifier.SIDE;
        Path samples = ImageSets.npz(folder.resolve("samples.npz"), ImageSets.gradients(side, 1, 10));
        Path reference = ImageSets.npz(folder.resolve("reference.npz"), ImageSets.gradients(side, 2, 10));
        Path classifier = TinyClassifier.write(folder.resolve("classifier.safetensors"));
        return Recipe.resolve(new Layer(
                "the test",
                Map.of(
                        "fid.samples", samples.toString(),
                        "fid.reference", reference.toString(),
                        "fid.features", "classifier:" + classifier,
                        "fid.output", folder.resolve("out").toString())));
    }
}
