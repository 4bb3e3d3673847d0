package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a job may add a generation to an output, and what becomes of one that is half made. */
class GrowthTest extends OutputFixture {
    private static final Plan FIRST =
            Plan.of("tokenize", "r1", Map.of(Plan.FILES, "ten images", "tokenizer", "t1"), Map.of());

    private record Body(String planSha256) {}

    @BeforeEach
    void makeTheFirst() throws Exception {
        try (OutputClaim claim = output.claim(FIRST, Growth.ADDS).orElseThrow()) {
            storage.putString(claim.path("part-000-00000.parquet"), "rows");
            storage.putString(claim.path("_listing-000.jsonl.gz"), "files");
            claim.publish("quarantine.jsonl", out -> out.write('x'));
            Manifest.publish(claim, new Body(FIRST.sha256()));
            claim.finish(JobResult.done(FIRST, NOON, 1, Map.of(), Map.of(), List.of()));
        }
    }

    /** The plan of another generation, for {@code files} behind what is published. */
    private Plan next(String files) throws IOException {
        return next("r1", files);
    }

    private Plan next(String recipe, String files) throws IOException {
        String before = Published.of(storage, directory).sha256();
        return Plan.of(
                "tokenize",
                recipe,
                Map.of(Plan.FILES, files, "tokenizer", "t1", Published.INPUT, before),
                Map.of("generation", "1"));
    }

    /** Leaves generation 1 with a shard and what comes last before it would be published. */
    private void leaveHalfMade(Plan plan, Exception failure) throws IOException {
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            storage.putString(claim.path("_manifest-000.json"), "the first's");
            for (String name : List.of(
                    "part-001-00000.parquet", "_listing-001.jsonl.gz", "quarantine-001.jsonl", "_manifest-001.json")) {
                storage.putString(claim.path(name), "half made");
            }
            claim.fail(NOON, failure);
        }
    }

    private List<String> names() throws IOException {
        return storage.walk(directory).stream()
                .map(StoredFile::name)
                .filter(name -> !name.matches("_plan.json|_owner.json|_attempts/.*|result.json"))
                .toList();
    }

    @Test
    void anotherGenerationFollowsOneThatIsFinished() throws Exception {
        Plan plan = next("r2", "two more");
        List<String> before = names();
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            assertThat(claim.attempt()).isEqualTo(2);
            assertThat(claim.plan()).isEqualTo(plan);
            assertThat(names()).isEqualTo(before);
            assertThat(RunOutput.isFinished(storage, directory)).isFalse();
        }
        assertThat(RunOutput.lastPlan(storage, directory)).contains(plan);
    }

    /** Its driver ended between the last manifest and the result. */
    @Test
    void anotherGenerationFollowsOneThatIsPublishedButHasNoResult() throws Exception {
        storage.delete(Storage.child(directory, JobResult.NAME));
        Plan plan = next("r2", "two more");
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            assertThat(claim.plan()).isEqualTo(plan);
            assertThat(names()).contains("part-000-00000.parquet", "_listing-000.jsonl.gz", "quarantine.jsonl");
        }
    }

    @Test
    void oneThatIsHalfMadeIsResumed() throws Exception {
        Plan plan = next("two more");
        leaveHalfMade(plan, new IOException("reset"));
        List<String> before = names();
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            assertThat(claim.plan()).isEqualTo(plan);
            assertThat(names()).isEqualTo(before);
        }
    }

    @Test
    void oneOfOtherFilesIsReplacedAndNothingElse() throws Exception {
        leaveHalfMade(next("two more"), new IOException("reset"));
        Plan plan = next("three more");
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            assertThat(claim.plan()).isEqualTo(plan);
        }
        assertThat(names())
                .containsExactly(
                        "_listing-000.jsonl.gz",
                        "_manifest-000.json",
                        "_manifest.json",
                        "part-000-00000.parquet",
                        "quarantine.jsonl");
    }

    @Test
    void aDeletionCutShortIsFinishedByTheNextAttempt() throws Exception {
        Plan half = next("two more");
        leaveHalfMade(half, new IOException("reset"));
        Plan plan = next("three more");
        storage.putJson(
                Storage.child(directory, "_attempts/000003.json"),
                new PlanFile(plan.sha256(), plan, 3, "killed", NOON, half.sha256()));
        output.claim(plan, Growth.ADDS).orElseThrow().close();
        assertThat(names()).contains("part-000-00000.parquet").doesNotContain("part-001-00000.parquet");
    }

    @Test
    void oneOfAnotherRecipeStaysUnlessItFailedBeforeItsFirstShard() throws Exception {
        leaveHalfMade(next("two more"), new JobException(ExitCode.UNAVAILABLE, "out of memory"));
        refused(next("r2", "two more"), Growth.ADDS, "the recipe differs; choose another --output or delete it");
        storage.delete(Storage.child(directory, "part-001-00000.parquet"));
        Plan smaller = next("r2", "two more");
        try (OutputClaim claim = output.claim(smaller, Growth.ADDS).orElseThrow()) {
            assertThat(claim.plan()).isEqualTo(smaller);
            assertThat(names()).contains("part-000-00000.parquet").doesNotContain("_listing-001.jsonl.gz");
        }
    }

    @Test
    void aFirstRunThatIsHalfMadeIsReplacedToo() throws Exception {
        storage.delete(Storage.child(directory, Manifest.NAME));
        storage.delete(Storage.child(directory, JobResult.NAME));
        Plan plan = Plan.of("tokenize", "r1", Map.of(Plan.FILES, "twelve images", "tokenizer", "t1"), Map.of());
        refused(
                plan,
                Growth.OFFERED,
                "the input 'input' differs; add new files with --incremental, choose another --output or delete it");
        try (OutputClaim claim = output.claim(plan, Growth.ADDS).orElseThrow()) {
            assertThat(claim.plan()).isEqualTo(plan);
            assertThat(names()).isEmpty();
        }
    }

    @Test
    void aPlanMadeBeforeAnotherDriverPublishedIsRefused() throws Exception {
        Plan late = next("two more");
        try (OutputClaim claim = output.claim(next("three more"), Growth.ADDS).orElseThrow()) {
            Manifest.publish(claim, new Body(claim.plan().sha256()));
        }
        assertFails(ExitCode.TEMPORARY, () -> output.claim(late, Growth.ADDS))
                .isEqualTo(
                        "Cannot add to " + directory + ": another driver has added a generation meanwhile; run again");
        assertThat(storage.list(Storage.child(directory, Attempts.FOLDER))).containsExactly("000002.json");
    }

    @Test
    void onlyWhatHasGenerationsGrows() throws Exception {
        refused(next("two more"), Growth.NONE, "the input 'generations' differs; choose another --output or delete it");
        Plan other =
                Plan.of("train", "r1", Map.of(Published.INPUT, next("").inputs().get(Published.INPUT)), Map.of());
        refused(other, Growth.ADDS, "the command was tokenize, not train; choose another --output or delete it");
        storage.delete(Storage.child(directory, Manifest.NAME));
        refused(
                Plan.of("tokenize", "r2", Map.of(Plan.FILES, "two more", "tokenizer", "t1"), Map.of()),
                Growth.ADDS,
                "the recipe differs; choose another --output or delete it");
        assertThat(names()).contains("part-000-00000.parquet");
    }

    private void refused(Plan plan, Growth growth, String why) {
        assertFails(ExitCode.OUTPUT_EXISTS, () -> output.claim(plan, growth))
                .isEqualTo("Cannot write to " + directory + ": it belongs to another run, " + why);
    }
}
