package io.github.rarspark.common.tokens;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.common.testing.TokenTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A token output that has grown, as its readers see it. */
class TokenGenerationsTest {
    private static final TokenShape SHAPE = new TokenShape(4, 16, 3);
    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());
    private final List<String> notices = new ArrayList<>();
    private String output;
    private String first;

    @BeforeEach
    void write() throws IOException {
        output = temp.resolve("tokens").toString();
        TokenSets.write(storage, output, 2, 16, NAMES, TokenGenerationsTest::row, 3, 2);
        first = open().sha256();
    }

    private void grow(int... rowsOfShards) throws IOException {
        long from = open().rows();
        TokenSets.add(storage, output, 2, 16, NAMES, i -> row(from + i), rowsOfShards);
    }

    private static TokenRow row(long i) {
        return new TokenRow("image" + i, (int) (i % 3), 0, new long[] {i % 16, 1, 2, i / 16});
    }

    private TokenSource open() throws IOException {
        return TokenSource.open(storage, "--tokens", output, SHAPE);
    }

    private TokenSource openFor(Path reader) throws IOException {
        return TokenSource.openPinned(storage, "--tokens", output, SHAPE, reader.toString(), notices::add);
    }

    /** An output whose plan has begun with what {@code tokens} identifies. */
    private Path reader(String name, String tokens) throws IOException {
        Path reader = temp.resolve(name);
        Plan plan = Plan.of("train", "recipe", Map.of("tokens", tokens), Map.of());
        Claims.claim(storage, reader.toString(), plan).close();
        return reader;
    }

    private static List<Long> firstTokens(TokenSource source) throws IOException {
        TokenTable table = TokenTable.of(source);
        return IntStream.range(0, (int) table.rows())
                .mapToObj(i -> {
                    long[] tokens = new long[4];
                    table.copyTokens(i, tokens, 0);
                    return tokens[0] + 16 * tokens[3];
                })
                .toList();
    }

    private static List<Long> upTo(long rows) {
        return IntStream.range(0, (int) rows).mapToObj(i -> (long) i).toList();
    }

    @Test
    void generationsAreOneDatasetInTheirOrder() throws Exception {
        byte[] alone = storage.readBytes(Storage.child(output, "_manifest.json"));
        grow(4);
        grow(0, 20);
        TokenShards all = (TokenShards) open();
        assertThat(all.rows()).isEqualTo(29);
        assertThat(all.blockRows()).containsExactly(3L, 2L, 4L, 0L, 20L);
        assertThat(firstTokens(all)).isEqualTo(upTo(29));
        assertThat(storage.readBytes(Storage.child(output, "_manifest-000.json")))
                .isEqualTo(alone);
        assertThat(storage.list(output).stream().filter(name -> name.matches("(_manifest|part).*")))
                .containsExactly(
                        "_manifest-000.json",
                        "_manifest-001.json",
                        "_manifest-002.json",
                        "_manifest.json",
                        "part-000-00000.parquet",
                        "part-000-00001.parquet",
                        "part-001-00000.parquet",
                        "part-002-00000.parquet",
                        "part-002-00001.parquet");
        all.checkGenerations();
    }

    @Test
    void theIdentityIsThatOfTheManifestsOfAllGenerations() throws Exception {
        assertThat(first).isEqualTo(Manifest.sha256(storage, output));
        grow(4);
        String second = Manifest.openGeneration(storage, output, 1).sha256();
        assertThat(open().sha256())
                .isEqualTo(Sha256.of((first + "\n" + second + "\n").getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void whatIsHalfMadeIsInvisible() throws Exception {
        grow(4);
        String before = open().sha256();
        try (OutputClaim claim = TokenSets.claimNext(storage, output)) {
            storage.putString(claim.path("part-002-00000.parquet"), "rows");
            Manifest.publishGeneration(claim, 2, ((TokenShards) open()).manifest());
            assertThat(open().sha256()).isEqualTo(before);
            assertThat(open().rows()).isEqualTo(9);
        }
    }

    @Test
    void aJobReadsWhatItBeganWithAndSaysSo() throws Exception {
        Path one = reader("one", first);
        assertThat(openFor(one).rows()).isEqualTo(5);
        assertThat(notices).isEmpty();
        grow(4);
        Path two = reader("two", open().sha256());
        grow(20);
        assertThat(openFor(one).sha256()).isEqualTo(first);
        assertThat(firstTokens(openFor(one))).isEqualTo(upTo(5));
        assertThat(firstTokens(openFor(two))).isEqualTo(upTo(9));
        assertThat(openFor(temp.resolve("new")).rows()).isEqualTo(29);
        assertThat(openFor(reader("other", "another dataset")).rows()).isEqualTo(29);
        assertThat(notices)
                .containsExactly(
                        "of the 3 generations in " + output + ", " + one
                                + " has the first only, which it began with; choose another --output for all",
                        "of the 3 generations in " + output + ", " + one
                                + " has the first only, which it began with; choose another --output for all",
                        "of the 3 generations in " + output + ", " + two
                                + " has the first 2 only, which it began with; choose another --output for all");
    }

    @Test
    void aManifestThatIsNotTheListedOneIsAnError() throws Exception {
        grow(4);
        grow(20);
        Path one = reader("one", first);
        TokenShards all = (TokenShards) open();
        byte[] second = storage.readBytes(Storage.child(output, "_manifest-001.json"));
        storage.putBytes(Storage.child(output, "_manifest-000.json"), second);
        String fault =
                "Cannot read " + output + "/_manifest-000.json: it is not the manifest that _manifest.json lists";
        assertFails(ExitCode.DATA, () -> openFor(one)).startsWith(fault);
        assertFails(ExitCode.DATA, all::checkGenerations).startsWith(fault);
        storage.delete(Storage.child(output, "_manifest-000.json"));
        assertFails(ExitCode.DATA, () -> openFor(one)).contains("its _manifest-000.json is gone");
        assertThat(open().rows()).as("all of it needs no manifest but one").isEqualTo(29);
    }
}
