package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The tokens of a training get another generation while it is unfinished. */
@Timeout(120)
class GrownTokensTest {
    private static final int GRID = 4;
    private static final List<String> NAMES = List.of("a", "b", "c", "d");

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    private Path folder;

    private final Storage storage = new Storage(new Configuration());
    private String tokens;

    @BeforeEach
    void writeTwoGenerations() throws IOException {
        tokens = folder.resolve("tokens").toUri().toString();
        TokenSets.write(storage, tokens, GRID, Runs.CODES, NAMES, i -> row(i), 20, 10);
        grow(1);
    }

    private void grow(int generation) throws IOException {
        TokenSets.add(storage, tokens, GRID, Runs.CODES, NAMES, i -> row(i + 50L * generation), 17);
    }

    private static TokenRow row(long number) {
        long[] row = new long[GRID * GRID];
        for (int t = 0; t < row.length; t++) {
            row[t] = (number * 7 + t * (number % 5)) % Runs.CODES;
        }
        return new TokenRow(Long.toString(number), (int) (number % Runs.CLASSES), 0, row);
    }

    private Recipe recipe(Path output) {
        return Runs.recipe(tokens, output);
    }

    private JobResult train(Path output) throws IOException {
        return TrainJob.run(SPARK.context(recipe(output)));
    }

    @Test
    void aResumedTrainingHasTheUndisturbedBitsAndANewOneTakesAll() throws Exception {
        Path whole = folder.resolve("whole");
        JobResult undisturbed = train(whole);
        // What a driver leaves that died after the checkpoint of step 4 counted.
        Path cut = folder.resolve("cut");
        copy(whole, cut);
        Files.delete(cut.resolve("result.json"));
        Files.delete(cut.resolve("model.safetensors"));
        for (Path checkpoint : checkpoints(cut)) {
            if (!checkpoint.getFileName().toString().startsWith("step-000000004")) {
                Files.delete(checkpoint.resolve("manifest.json"));
            }
        }
        grow(2);

        List<String> notices = new ArrayList<>();
        TrainInputs pinned = TrainInputs.open(storage, recipe(cut), notices::add);
        assertThat(pinned.tokens().rows()).isEqualTo(47);
        assertThat(notices)
                .containsExactly("of the 3 generations in " + tokens + ", " + cut.toUri()
                        + " has the first 2 only, which it began with; choose another --output for all");
        train(cut);
        assertThat(cut.resolve("checkpoints/LAST")).content().startsWith("step-000000012-a2-");
        assertThat(Runs.model(cut)).isEqualTo(Runs.model(whole));

        assertThat(train(whole)).as("what is finished stays").isEqualTo(undisturbed);
        Path fresh = folder.resolve("fresh");
        train(fresh);
        assertThat(TrainInputs.tokens(storage, recipe(fresh)).rows()).isEqualTo(64);
        assertThat(fresh.resolve("_plan.json"))
                .content()
                .contains(TrainInputs.tokens(storage, recipe(fresh)).sha256());
        assertThat(Runs.model(fresh)).isNotEqualTo(Runs.model(whole));
    }

    private static List<Path> checkpoints(Path output) throws IOException {
        try (Stream<Path> all = Files.list(output.resolve("checkpoints"))) {
            return all.filter(Files::isDirectory).toList();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.sorted(Comparator.naturalOrder()).toList()) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }
}
