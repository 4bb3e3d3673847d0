package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When another plan may have the output of an attempt that failed. */
class LeftoversTest extends OutputFixture {
    @Test
    void anAttemptThatPublishedNothingForItsDataMakesWayForAnotherPlan() throws Exception {
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            storage.putString(first.path("shard-00000-of-00004.parquet"), "another plan's");
            storage.putString(first.path("tokens/part-00000-00000.parquet"), "another plan's");
            storage.putString(first.path("recipe.yaml"), "seed: 0");
            storage.putString(first.path("samples/classes.txt"), "class 0");
            storage.putString(first.path("checkpoints/step-000000001-a1/ema.safetensors"), "averages");
            storage.putString(first.path("features/ab/features-00000-of-00001.parquet"), "any plan's");
            first.publish("quarantine.jsonl", out -> out.write('x'));
            first.fail(NOON, new DataException("bad"));
        }
        Plan corrected = Plan.of("generate", "r1", Map.of("weights", "w2"), Map.of("shards", "2"));
        try (OutputClaim second = output.claim(corrected).orElseThrow()) {
            assertThat(second.attempt()).isEqualTo(2);
            assertThat(second.plan()).isEqualTo(corrected);
            assertThat(storage.walk(directory))
                    .extracting(StoredFile::name)
                    .containsExactly(
                            "_attempts/000002.json",
                            "_owner.json",
                            "_plan.json",
                            "features/ab/features-00000-of-00001.parquet");
            storage.putString(second.path("shard-00000-of-00002.parquet"), "its own");
        }
        refused(PLAN, "the input 'weights' differs");
        try (OutputClaim third = output.claim(corrected).orElseThrow()) {
            assertThat(storage.list(directory)).as("nothing is deleted twice").contains("shard-00000-of-00002.parquet");
            assertThat(third.attempt()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "_manifest.json",
                "checkpoints/LAST",
                "checkpoints/step-000000001-a1/manifest.json",
                "metrics.jsonl",
                "model.safetensors",
                "samples.npz",
                "tokens/_plan.json",
                "tokens/_manifest.json",
                "notes.txt"
            })
    void anAttemptThatPublishedSomethingKeepsTheOutput(String published) throws Exception {
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            first.publish(published, out -> out.write('x'));
            first.fail(NOON, new DataException("bad"));
        }
        refused(Plan.of("generate", "r2", Map.of("weights", "w1"), Map.of()), "the recipe differs");
        assertThat(storage.exists(Storage.child(directory, published))).isTrue();
    }

    @Test
    void anAttemptThatCanGoOnKeepsTheOutput() throws Exception {
        for (Exception failure :
                List.of(new IOException("reset"), new InterruptedException(), new IllegalStateException("bug"))) {
            try (OutputClaim claim = output.claim(PLAN).orElseThrow()) {
                claim.fail(NOON, failure);
            }
            refused(Plan.of("generate", "r2", Map.of("weights", "w1"), Map.of()), "the recipe differs");
        }
    }

    /** Lower settings, as the line of such a failure advises, are another plan. */
    @Test
    void anAttemptThatTheMachineCouldNotRunMakesWayUnlessItFinishedShards() throws Exception {
        NativeMemoryException failure = new NativeMemoryException("8 bytes").lowering("generate.batch");
        Plan lower = Plan.of("generate", "r2", Map.of("weights", "w1"), Map.of("shards", "2"));
        try (OutputClaim first = output.claim(PLAN).orElseThrow()) {
            storage.putString(first.path("recipe.yaml"), "seed: 0");
            first.fail(NOON, failure);
        }
        try (OutputClaim second = output.claim(lower).orElseThrow()) {
            assertThat(second.plan()).isEqualTo(lower);
            storage.putString(second.path("shard-00000-of-00002.parquet"), "finished");
            second.fail(NOON, failure);
        }
        refused(PLAN, "the recipe differs");
    }

    @Test
    void aDeletionCutShortIsFinishedByTheNextAttempt() throws Exception {
        output.claim(PLAN).orElseThrow().close();
        storage.putString(Storage.child(directory, "shard-00000-of-00004.parquet"), "another plan's");
        Plan corrected = Plan.of("generate", "r1", Map.of("weights", "w2"), Map.of("shards", "2"));
        storage.putJson(
                Storage.child(directory, "_attempts/000002.json"),
                new PlanFile(corrected.sha256(), corrected, 2, "killed", NOON, PLAN.sha256()));
        try (OutputClaim third = output.claim(corrected).orElseThrow()) {
            assertThat(third.attempt()).isEqualTo(3);
            assertThat(storage.list(directory)).containsExactly("_owner.json", "_plan.json");
        }
    }

    private void refused(Plan plan, String why) {
        assertFails(ExitCode.OUTPUT_EXISTS, () -> output.claim(plan))
                .isEqualTo("Cannot write to " + directory + ": it belongs to another run, " + why
                        + "; choose another --output or delete it");
    }
}
