package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.PngEncoder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code tokenize --incremental} over a folder that changes between the runs. */
@Timeout(120)
class IncrementalTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    /** What readers see and what identifies it. */
    private static final Predicate<String> DATA = name -> name.matches("(part|_manifest|quarantine).*");

    @TempDir
    Path temp;

    private TokenizeFixture fixture;

    @BeforeEach
    void prepare() throws IOException {
        fixture = new TokenizeFixture(temp);
    }

    private void add(Path input, String... names) throws IOException {
        for (String name : names) {
            int number = Integer.parseInt(name.replaceAll("\\D", ""));
            Files.write(input.resolve(name), PngEncoder.encode(TokenizeFixture.image(number)));
        }
    }

    private void add(String... names) throws IOException {
        add(fixture.input, names);
    }

    private JobResult run(String... values) throws IOException {
        return run(fixture.recipe(values));
    }

    private JobResult run(Recipe recipe) throws IOException {
        return TokenizeJob.run(SPARK.context(recipe.with(Map.of("tokenize.incremental", "true"))));
    }

    private void refused(ExitCode code, String message, String... values) {
        assertFails(code, () -> run(values)).isEqualTo("Cannot add to " + fixture.output + ": " + message);
    }

    private TokenShards tokens() throws IOException {
        return TokenShards.open(fixture.storage, fixture.output.toString());
    }

    /** The identity of the files whose names {@code wanted} accepts: it changes when a file is written anew. */
    private Map<String, Object> files(Predicate<String> wanted) throws IOException {
        Map<String, Object> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(fixture.output)) {
            for (Path file : all.filter(path -> wanted.test(path.getFileName().toString()))
                    .toList()) {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                files.put(file.getFileName().toString(), List.of(attributes.fileKey(), attributes.lastModifiedTime()));
            }
        }
        return files;
    }

    private String listing(int generation) throws IOException {
        byte[] compressed = Files.readAllBytes(fixture.output.resolve("_listing-00" + generation + ".jsonl.gz"));
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(compressed))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private List<String> sampleIds() throws IOException {
        return fixture.rows(fixture.output).stream()
                .map(row -> row.replaceFirst(" \\[.*", ""))
                .toList();
    }

    @Test
    void newFilesBecomeGenerationsAndWhatIsThereStays() throws Exception {
        assertThat(run().counts()).containsEntry("images", 10L).containsEntry("generations", 1L);
        assertThat(fixture.output.resolve("_manifest-000.json")).doesNotExist();
        Map<String, Object> first = files(name -> true);
        List<String> firstIds = sampleIds();
        run();
        assertThat(files(name -> true)).as("nothing is new").isEqualTo(first);

        add("apple/10.png", "pear/04a.png", "pear/11.png", "pear/12.png");
        assertThat(run().counts())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "images", 14L,
                        "rows", 28L,
                        "shards", 6L,
                        "bad", 0L,
                        "oriented", 0L,
                        "generations", 2L,
                        "images_new", 4L,
                        "files_removed", 0L,
                        "files_changed", 0L));
        add("pear/13.png");
        run("tokenize.shard_images", "100");
        assertThat(files(name -> first.containsKey(name) && name.matches("(part|quarantine|_listing).*")))
                .hasSize(6)
                .allSatisfy((name, identity) -> assertThat(identity).as(name).isEqualTo(first.get(name)));
        List<String> ids = new ArrayList<>(firstIds);
        for (String id :
                List.of("apple/10.png 0", "pear/04a.png 1", "pear/11.png 1", "pear/12.png 1", "pear/13.png 1")) {
            ids.addAll(List.of(id + " 0", id + " 1"));
        }
        assertThat(sampleIds()).isEqualTo(ids);
        assertThat(tokens().generations()).isEqualTo(3);
        assertThat(tokens().blockRows()).containsExactly(6L, 6L, 6L, 2L, 6L, 2L, 2L);
        assertThat(tokens().manifest().images()).isEqualTo(15);
        long modified =
                Files.getLastModifiedTime(fixture.input.resolve("pear/13.png")).toMillis();
        long bytes = Files.size(fixture.input.resolve("pear/13.png"));
        assertThat(listing(2))
                .isEqualTo("{\"name\":\"pear/13.png\",\"bytes\":" + bytes + ",\"modified\":" + modified + "}\n");
        assertThat(listing(0).lines()).hasSize(10);
        assertThat(run("tokenize.check", "true").counts()).containsEntry("rows", 30L);
        Files.copy(
                fixture.output.resolve("_manifest-002.json"),
                fixture.output.resolve("_manifest-001.json"),
                StandardCopyOption.REPLACE_EXISTING);
        assertFails(ExitCode.DATA, () -> run("tokenize.check", "true"))
                .contains("_manifest-001.json: it is not the manifest that _manifest.json lists");
    }

    @Test
    void bytesDependOnTheFilesOfEachGenerationAlone() throws Exception {
        Path input = temp.resolve("elsewhere");
        Path output = temp.resolve("other");
        for (String name : List.of("apple", "pear")) {
            Files.createDirectories(input.resolve(name));
        }
        for (int i = 0; i < TokenizeFixture.IMAGES; i++) {
            add(input, (i < 4 ? "apple/0" : "pear/0") + i + ".png");
            Files.setLastModifiedTime(
                    input.resolve((i < 4 ? "apple/0" : "pear/0") + i + ".png"), FileTime.fromMillis(1_000_000L * i));
        }
        for (String names :
                List.of("apple/00.png", "apple/20.png pear/20.png apple/21.png pear/22.png", "pear/23.png")) {
            add(names.split(" "));
            run();
            add(input, names.split(" "));
            run("tokenize.input", input.toString(), "tokenize.output", output.toString());
        }
        assertThat(fixture.shards(output)).hasSize(7).isEqualTo(fixture.shards(fixture.output));
        for (String name : files(DATA).keySet()) {
            assertThat(output.resolve(name)).hasSameBinaryContentAs(fixture.output.resolve(name));
        }
        add("pear/30.png");
        add(input, "pear/31.png");
        run();
        run("tokenize.input", input.toString(), "tokenize.output", output.toString());
        assertThat(tokens().sha256())
                .isNotEqualTo(
                        TokenShards.open(fixture.storage, output.toString()).sha256());
    }

    /** The files of an input need not be images. */
    @Test
    void newTarFilesBecomeAGeneration() throws Exception {
        Path input = Files.createDirectories(temp.resolve("tars"));
        String[] settings = {"tokenize.input", input.toString()};
        writeTar(input.resolve("a.tar"), 0, 1, 2, 3, 4);
        run(settings);
        writeTar(input.resolve("b.tar"), 5, 6);
        assertThat(run(settings).counts()).containsEntry("images_new", 2L).containsEntry("images", 7L);
        assertThat(sampleIds())
                .hasSize(14)
                .endsWith("b.tar/5.png 1 0", "b.tar/5.png 1 1", "b.tar/6.png 0 0", "b.tar/6.png 0 1");
        assertThat(listing(1)).startsWith("{\"name\":\"b.tar\",\"bytes\":").hasLineCount(1);
        writeTar(input.resolve("b.tar"), 5, 6, 7, 8, 9);
        writeTar(input.resolve("c.tar"), 10);
        assertThat(run(settings).counts())
                .containsEntry("images_new", 1L)
                .containsEntry("files_changed", 1L)
                .containsEntry("images", 8L);
    }

    private static void writeTar(Path tar, int... numbers) throws IOException {
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(tar))) {
            for (int number : numbers) {
                writeMember(out, number + ".png", PngEncoder.encode(TokenizeFixture.image(number)));
                writeMember(out, number + ".cls", Integer.toString(number % 2).getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    private static void writeMember(TarArchiveOutputStream out, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        out.putArchiveEntry(entry);
        out.write(content);
        out.closeArchiveEntry();
    }

    @Test
    void whatIsGoneOrChangedIsReportedAndKeepsItsRows() throws Exception {
        run();
        Files.delete(fixture.input.resolve("pear/05.png"));
        Files.delete(fixture.input.resolve("pear/04.png"));
        Files.write(fixture.input.resolve("apple/01.png"), PngEncoder.encode(TokenizeFixture.image(44)));
        List<String> before = sampleIds();
        Map<String, Object> all = files(name -> true);
        run();
        assertThat(files(name -> true)).as("nothing is new").isEqualTo(all);

        add("pear/14.png");
        JobResult result = run();
        assertThat(result.counts())
                .containsEntry("files_removed", 2L)
                .containsEntry("files_changed", 1L)
                .containsEntry("images_new", 1L)
                .containsEntry("images", 11L);
        assertThat(TokenizeFixture.warnings(result))
                .containsExactly(
                        "pear/04.png and 1 more are gone; their rows stay",
                        "apple/01.png has changed; its rows stay, give it another name to have it tokenized");
        assertThat(sampleIds()).startsWith(before.toArray(String[]::new)).hasSize(22);
        Files.setLastModifiedTime(fixture.input.resolve("apple/00.png"), FileTime.fromMillis(5_000));
        add("pear/15.png");
        assertThat(run().counts()).containsEntry("files_changed", 2L);
    }

    @Test
    void onlyRowsOfTheSameDatasetAreAdded() throws Exception {
        run();
        Map<String, Object> before = files(name -> true);
        add("pear/14.png");
        assertFails(ExitCode.OUTPUT_EXISTS, () -> TokenizeJob.run(SPARK.context(fixture.recipe())))
                .endsWith("the input 'input' differs; add new files with --incremental, choose another --output or"
                        + " delete it");
        refused(
                ExitCode.OUTPUT_EXISTS,
                "image.crops is center, was center-flip; choose another --output",
                "image.crops",
                "center");
        refused(
                ExitCode.OUTPUT_EXISTS,
                "image.size is 32, was 16; choose another --output",
                "image.size",
                "32",
                "model.tokens",
                "64");
        Path other = TokenizeFixture.writeTokenizer(temp.resolve("other.safetensors"), 2, TokenizeFixture.CONFIG);
        refused(
                ExitCode.OUTPUT_EXISTS,
                "its tokens were made with another --tokenizer; choose another --output",
                "tokenize.tokenizer",
                other.toString());
        Files.createDirectories(fixture.input.resolve("banana"));
        add("banana/15.png");
        refused(
                ExitCode.DATA,
                "its class ids have other meanings, class 1 is 'banana', was 'pear'; a new or missing class shifts the"
                        + " others: tokenize all into another output",
                "model.classes",
                "3");
        assertThat(files(name -> true)).isEqualTo(before);
    }

    /** Leaves generation 1 with its first shard. */
    private void leaveHalfMade(String... names) throws IOException {
        add(names);
        Path obstacle = Files.createDirectories(fixture.output.resolve("part-001-00001.parquet"));
        assertThatThrownBy(this::run).hasMessageContaining("part-001-00001.parquet");
        Files.delete(obstacle);
    }

    @Test
    void aGenerationThatIsHalfMadeIsInvisibleAndResumed() throws Exception {
        run();
        Map<String, Object> before = files(DATA);
        String identity = tokens().sha256();
        leaveHalfMade("apple/10.png", "pear/11.png", "pear/12.png", "pear/13.png");
        assertThat(tokens().sha256()).isEqualTo(identity);
        assertThat(tokens().rows()).isEqualTo(20);
        Map<String, Object> half = files(DATA);
        assertThat(half).containsAllEntriesOf(before).containsKey("part-001-00000.parquet");
        run();
        assertThat(files(DATA))
                .containsEntry("part-001-00000.parquet", half.get("part-001-00000.parquet"))
                .containsKeys("part-001-00001.parquet", "_manifest-001.json");
        assertThat(tokens().rows()).isEqualTo(28);
    }

    @Test
    void aGenerationThatIsHalfMadeOfOtherFilesIsMadeAnew() throws Exception {
        run();
        Map<String, Object> before = files(DATA);
        leaveHalfMade("apple/10.png", "pear/11.png", "pear/12.png", "pear/13.png");
        Files.delete(fixture.input.resolve("pear/11.png"));
        Files.delete(fixture.input.resolve("pear/12.png"));
        Files.delete(fixture.input.resolve("pear/13.png"));
        run();
        before.remove("_manifest.json");
        assertThat(files(DATA)).containsAllEntriesOf(before).doesNotContainKey("part-001-00001.parquet");
        assertThat(sampleIds()).hasSize(22).endsWith("apple/10.png 0 0", "apple/10.png 0 1");

        leaveHalfMade2();
        Files.delete(fixture.input.resolve("pear/20.png"));
        Files.delete(fixture.input.resolve("pear/21.png"));
        JobResult result = run("tokenize.shard_images", "1");
        assertThat(result.counts()).containsEntry("images_new", 0L).containsEntry("generations", 2L);
        assertThat(files(DATA)).containsAllEntriesOf(before).doesNotContainKey("part-002-00000.parquet");
        assertThat(RunOutput.isFinished(fixture.storage, fixture.output.toString()))
                .isTrue();
        assertThat(run()).as("nothing is new").isEqualTo(result);
    }

    private void leaveHalfMade2() throws IOException {
        add("pear/20.png", "pear/21.png");
        Path obstacle = Files.createDirectories(fixture.output.resolve("part-002-00001.parquet"));
        assertThatThrownBy(() -> run("tokenize.shard_images", "1")).hasMessageContaining("part-002-00001.parquet");
        Files.delete(obstacle);
        assertThat(fixture.output.resolve("part-002-00000.parquet")).exists();
    }

    /** The driver has ended after the manifest and before the result. */
    @Test
    void aGenerationWithoutAResultIsNotMadeTwice() throws Exception {
        run();
        add("pear/14.png");
        run("tokenize.jsonl", "true");
        Files.delete(fixture.output.resolve("result.json"));
        Files.writeString(fixture.output.resolve("tokens.jsonl"), "of the generation before");
        Map<String, Object> before = files(DATA);
        JobResult result = run();
        assertThat(result.counts()).containsEntry("images", 11L).containsEntry("images_new", 0L);
        assertThat(files(DATA)).isEqualTo(before);
        assertThat(Files.readAllLines(fixture.output.resolve("tokens.jsonl"))).hasSize(22);
        add("pear/15.png");
        assertThat(run().counts()).containsEntry("generations", 3L);
        assertThat(Files.readAllLines(fixture.output.resolve("tokens.jsonl")))
                .as("lines that are there stay those of all rows")
                .hasSize(24);
    }

    @Test
    void newImagesMayAllBeUnusable() throws Exception {
        Files.writeString(fixture.input.resolve("apple/02.png"), "no picture");
        run();
        Files.writeString(fixture.input.resolve("apple/50.png"), "no picture");
        Files.writeString(fixture.input.resolve("apple/51.png"), "no picture");
        assertFails(ExitCode.DATA, () -> run("tokenize.max_bad", "1"))
                .contains("2 images cannot be used, more than --max-bad 1; ")
                .contains("quarantine-001.jsonl lists those found so far, the first is apple/50.png");
        JobResult result = run("tokenize.max_bad", "2");
        assertThat(result.counts())
                .containsEntry("images", 9L)
                .containsEntry("bad", 3L)
                .containsEntry("generations", 2L);
        assertThat(TokenizeFixture.warnings(result))
                .containsExactly("2 images could not be used; quarantine-001.jsonl lists them");
        assertThat(Files.readAllLines(fixture.output.resolve("quarantine.jsonl")))
                .hasSize(1);
        assertThat(run().counts()).as("they are known now").isEqualTo(result.counts());
    }

    @Test
    void withoutItsListingAnOutputCannotGrow() throws Exception {
        run();
        Path listing = fixture.output.resolve("_listing-000.jsonl.gz");
        byte[] content = Files.readAllBytes(listing);
        Files.write(listing, Arrays.copyOf(content, content.length / 2));
        assertFails(ExitCode.DATA, () -> run())
                .isEqualTo("Cannot read " + listing + ": it is damaged; tokenize all into another output");
        Files.delete(listing);
        refused(
                ExitCode.DATA,
                "it has no _listing-000.jsonl.gz, as outputs of earlier versions; tokenize all into another output");
    }
}
