package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TokenTable;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.tokens.TokenStatistics;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32;
import org.apache.spark.sql.SparkSession;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TokenizeJobTest {
    @TempDir
    Path temp;

    private TokenizeFixture fixture;
    private SparkSession session;

    @BeforeEach
    void start() throws IOException {
        fixture = new TokenizeFixture(temp);
        session = LocalSpark.start(2);
    }

    @AfterEach
    void stop() {
        session.stop();
    }

    @Test
    void rowsAreTheTokensOfEachCropInOrder() throws Exception {
        JobResult result = TokenizeJob.run(JobContext.of(session, fixture.recipe("tokenize.jsonl", "true"), true));
        assertThat(result.counts())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("images", 10L, "rows", 20L, "shards", 4L, "bad", 0L, "oriented", 0L));
        List<String> expected = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Vqgan vqgan = Vqgan.load(TensorFile.open(fixture.tokenizer), manager);
                TensorScope scope = TensorScope.inference(manager)) {
            for (int i = 0; i < TokenizeFixture.IMAGES; i++) {
                List<RgbImage> crops = Crops.centerFlip(TokenizeFixture.image(i), TokenizeFixture.SIZE);
                for (int crop = 0; crop < 2; crop++) {
                    long[] tokens = vqgan.encode(
                                    scope,
                                    scope.floats(
                                            Pixels.toFloats(List.of(crops.get(crop))),
                                            1,
                                            3,
                                            TokenizeFixture.SIZE,
                                            TokenizeFixture.SIZE))
                            .toLongArray();
                    expected.add((i < 4 ? "apple/0" : "pear/0") + i + ".png " + (i < 4 ? 0 : 1) + " " + crop + " "
                            + list(tokens));
                }
            }
        }
        assertThat(fixture.rows(fixture.output)).isEqualTo(expected);
        assertThat(expected.stream().map(row -> row.replaceFirst(".*\\[", "")).distinct())
                .as("the tokenizer distinguishes the images")
                .hasSizeGreaterThan(15);
        TokenManifest manifest = Manifest.read(fixture.storage, fixture.output.toString(), TokenManifest.class);
        assertThat(manifest.classNames()).containsExactly("apple", "pear");
        assertThat(List.of(manifest.grid(), manifest.codes(), manifest.imageSize()))
                .containsExactly(4, 64, 16);
        assertThat(manifest.crops()).isEqualTo("center-flip");
        assertThat(manifest.shards()).extracting(shard -> shard.rows()).containsExactly(6L, 6L, 6L, 2L);
        TokenStatistics statistics = manifest.statistics();
        assertThat(statistics.classCounts()).isEqualTo(Map.of(0, 4L, 1, 6L));
        assertThat(statistics.tokenCounts()).isEqualTo(occurrences(expected));
        assertThat(statistics.shards())
                .extracting(shard -> shard.images() + " of " + shard.classes())
                .containsExactly("3 of 1", "3 of 2", "3 of 1", "1 of 1");
        assertThat(result.metrics())
                .containsEntry("codes_used", (double) statistics.codesUsed())
                .containsEntry("token_entropy", statistics.tokenEntropy())
                .containsKeys(
                        "images_per_second",
                        "read_images_per_second",
                        "decode_images_per_second",
                        "scale_images_per_second",
                        "encode_images_per_second",
                        "write_images_per_second",
                        "encoding_waited");
        TokenShape shape = new TokenShape(16, 64, 2);
        TokenSource lines = TokenSource.open(
                fixture.storage,
                "--tokens",
                fixture.output.resolve("tokens.jsonl").toString(),
                shape);
        TokenSource shards = TokenSource.open(fixture.storage, "--tokens", fixture.output.toString(), shape);
        assertThat(lines.rows()).isEqualTo(20);
        long[] a = new long[16];
        long[] b = new long[16];
        TokenTable.of(lines).copyTokens(13, a, 0);
        TokenTable.of(shards).copyTokens(13, b, 0);
        assertThat(a).isEqualTo(b);
    }

    /** As on an object store, where a task that comes late may do this after the shard's receipt was given. */
    @Test
    void aShardThatIsReplacedBeforeTheManifestIsNotPublished() throws Exception {
        AtomicBoolean late = new AtomicBoolean(true);
        // Only the check before the manifest reads a shard of the first attempt.
        Storage storage = new Storage(FaultyFiles.likeAnObjectStore(path -> {
            if (path.getName().equals("part-000-00002.parquet") && late.getAndSet(false)) {
                Path shard = Path.of(path.toUri().getPath());
                Files.write(shard, new byte[] {0}, StandardOpenOption.APPEND);
            }
        }));
        JobContext context = new JobContext(session, storage, fixture.recipe(), true);
        assertFails(ExitCode.TEMPORARY, () -> TokenizeJob.run(context))
                .contains("1 of 4 shards were replaced by a late task, the first is part-000-00002.parquet; run"
                        + " again");
        assertThat(fixture.output.resolve("_manifest.json")).doesNotExist();
        assertThat(TokenizeJob.run(context).counts()).containsEntry("rows", 20L);
        assertThat(fixture.rows(fixture.output)).hasSize(20);
    }

    @Test
    void rerunOverAFinishedOutputChangesNothing() throws Exception {
        JobResult first = TokenizeJob.run(JobContext.of(session, fixture.recipe(), true));
        Map<String, Object> before = files(fixture.output);
        assertThat(TokenizeJob.run(JobContext.of(session, fixture.recipe(), true)))
                .isEqualTo(first);
        assertThat(files(fixture.output)).isEqualTo(before);
    }

    @Test
    void anotherPlanOverTheOutputIsRefused() throws Exception {
        TokenizeJob.run(JobContext.of(session, fixture.recipe(), true));
        Map<String, Object> before = files(fixture.output);
        expect(
                fixture.recipe("image.crops", "center"),
                ExitCode.OUTPUT_EXISTS,
                "it belongs to another run, image.crops is center, was center-flip");
        Files.copy(fixture.input.resolve("apple/00.png"), fixture.input.resolve("apple/99.png"));
        expect(fixture.recipe(), ExitCode.OUTPUT_EXISTS, "it belongs to another run, the input 'input' differs");
        assertThat(files(fixture.output)).isEqualTo(before);
    }

    @Test
    void aLiveOwnerIsLeftAlone() throws Exception {
        Recipe recipe = fixture.recipe();
        TokenizePlan plan = TokenizePlan.of(
                recipe,
                NewFiles.all(ImageSources.open(fixture.storage, "--input", fixture.input.toString())),
                TokenizerFile.inspect(fixture.storage, fixture.tokenizer.toString()),
                JobDevice.CPU);
        try (OutputClaim claim = Claims.claim(fixture.storage, fixture.output.toString(), plan.plan())) {
            expect(recipe, ExitCode.TEMPORARY, "is working on it (attempt 1)");
            claim.check();
        }
    }

    @Test
    void missingInputsAreNamedAndNothingIsWritten() {
        String none = temp.resolve("none").toString();
        expect(
                fixture.recipe("tokenize.input", none),
                ExitCode.NO_INPUT,
                "Cannot read --input " + none + ": it does not exist");
        expect(
                fixture.recipe("tokenize.tokenizer", none),
                ExitCode.NO_INPUT,
                "Cannot read --tokenizer " + none + ": it does not exist");
        expect(fixture.recipe("tokenize.input", ""), ExitCode.USAGE, "Cannot run tokenize without tokenize.input");
        expect(
                fixture.recipe("tokenize.output", fixture.input.resolve("x").toString()),
                ExitCode.USAGE,
                "it overlaps --input");
        assertThat(fixture.output).doesNotExist();
    }

    @Test
    void aTokenizerThatDoesNotFitIsNamedAndNothingIsWritten() throws Exception {
        expect(
                fixture.recipe("tokenizer.codes", "128", "model.codes", "128"),
                ExitCode.DATA,
                "it has 64 codes, but tokenizer.codes=128; use the recipe it was trained with");
        expect(
                fixture.recipe("tokenizer.channel_mult", "1,1", "model.tokens", "64"),
                ExitCode.DATA,
                "its downsampling factor is 4, but that of tokenizer.channel_mult=1,1 is 2; use");
        Path broken = Files.write(temp.resolve("broken.safetensors"), new byte[20]);
        expect(fixture.recipe("tokenize.tokenizer", broken.toString()), ExitCode.DATA, "broken.safetensors");
        VqganConfig small = new VqganConfig(32, List.of(1), 1, 4, 8);
        Path other = TokenizeFixture.writeTokenizer(temp.resolve("small.safetensors"), 1, small);
        expect(fixture.recipe("tokenize.tokenizer", other.toString()), ExitCode.DATA, "downsampling factor");
        assertThat(fixture.output).doesNotExist();
    }

    @Test
    void badImagesAreQuarantinedUpToTheLimit() throws Exception {
        Files.writeString(fixture.input.resolve("apple/02.png"), "no picture");
        Files.write(fixture.input.resolve("pear/07.png"), new byte[0]);
        expect(
                fixture.recipe("tokenize.max_bad", "19.9%"),
                ExitCode.DATA,
                "2 images cannot be used, more than --max-bad 19.9% of 10 images; ");
        Path quarantine = fixture.output.resolve("quarantine.jsonl");
        List<String> bad = List.of(
                "{\"path\":\"apple/02.png\",\"reason\":\"Cannot decode apple/02.png: it is neither PNG nor JPEG\"}",
                "{\"path\":\"pear/07.png\",\"reason\":\"Cannot decode pear/07.png: it is empty\"}");
        assertThat(Files.readAllLines(quarantine)).isEqualTo(bad);
        assertThat(fixture.output.resolve("_manifest.json")).doesNotExist();

        JobResult result = TokenizeJob.run(JobContext.of(session, fixture.recipe("tokenize.max_bad", "20%"), true));
        assertThat(result.counts())
                .containsEntry("images", 8L)
                .containsEntry("rows", 16L)
                .containsEntry("bad", 2L);
        assertThat(TokenizeFixture.warnings(result))
                .containsExactly("2 images could not be used; quarantine.jsonl lists them");
        assertThat(Files.readAllLines(quarantine)).isEqualTo(bad);
        assertThat(fixture.rows(fixture.output)).hasSize(16).noneMatch(row -> row.startsWith("apple/02.png"));
    }

    @Test
    void imagesThatAreAllBadEndTheJob() throws Exception {
        for (int i = 0; i < TokenizeFixture.IMAGES; i++) {
            Path image = fixture.input.resolve((i < 4 ? "apple/0" : "pear/0") + i + ".png");
            Files.writeString(image, "no picture");
        }
        expect(fixture.recipe(), ExitCode.DATA, "none of its 10 images can be used; ");
        assertThat(Files.readAllLines(fixture.output.resolve("quarantine.jsonl")))
                .hasSize(10);
        assertThat(fixture.output.resolve("_manifest.json")).doesNotExist();
    }

    @Test
    void aHugeStrayFileIsQuarantined() throws Exception {
        try (RandomAccessFile huge =
                new RandomAccessFile(fixture.input.resolve("apple/backup.tar").toFile(), "rw")) {
            huge.setLength(3L << 30);
        }
        JobResult result = run(fixture.recipe());
        assertThat(result.counts()).containsEntry("images", 10L).containsEntry("bad", 1L);
        assertThat(fixture.output.resolve("quarantine.jsonl"))
                .content()
                .isEqualTo("{\"path\":\"apple/backup.tar\",\"reason\":\"Cannot read apple/backup.tar: it has"
                        + " 3221225472 bytes, more than the limit of 134217728\"}\n");
    }

    @Test
    void classFoldersOfAnotherNumberThanTheModelsAreRefused() throws Exception {
        Files.createDirectories(fixture.input.resolve("orange"));
        expect(
                fixture.recipe("model.classes", "3"),
                ExitCode.DATA,
                "it has 2 class folders with images, and model.classes=3; ");
        assertThat(fixture.output).doesNotExist();
        Files.writeString(fixture.input.resolve("notes.txt"), "no image");
        assertThat(TokenizeFixture.warnings(run(fixture.recipe())))
                .containsExactly(
                        "notes.txt is left out, because it is not in a class folder",
                        "orange is not a class, because the folder has no images");
    }

    @Test
    void imagesThatAskToBeTurnedAreCounted() throws Exception {
        session.stop();
        session = LocalSpark.start(1);
        Path turned = fixture.input.resolve("apple/01.png");
        byte[] upright = Files.readAllBytes(turned);
        run(fixture.recipe("tokenize.output", temp.resolve("upright").toString()));
        Files.write(turned, withOrientation(upright, 6));
        // The attempt ends after the first shard, which another attempt then finds finished.
        Path obstacle = Files.createDirectories(fixture.output.resolve("part-000-00002.parquet"));
        assertThatThrownBy(() -> run(fixture.recipe())).hasMessageContaining("part-000-00002.parquet");
        Files.delete(obstacle);
        JobResult result = run(fixture.recipe());
        assertThat(result.counts()).containsEntry("oriented", 1L).containsEntry("bad", 0L);
        assertThat(TokenizeFixture.warnings(result))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith(
                        "1 image has an EXIF orientation, which is not applied; if it should be upright, rotate the file");
        assertThat(fixture.rows(fixture.output)).isEqualTo(fixture.rows(temp.resolve("upright")));
    }

    /** A PNG file with EXIF data behind its header. */
    private static byte[] withOrientation(byte[] png, int orientation) {
        int header = 33;
        ByteBuffer chunk = ByteBuffer.allocate(4 + 26);
        chunk.put("eXIf".getBytes(StandardCharsets.US_ASCII)).put("MM".getBytes(StandardCharsets.US_ASCII));
        chunk.putShort((short) 42).putInt(8).putShort((short) 1);
        chunk.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation);
        CRC32 crc = new CRC32();
        crc.update(chunk.array());
        ByteBuffer out = ByteBuffer.allocate(png.length + chunk.capacity() + 8);
        out.put(png, 0, header).putInt(chunk.capacity() - 4).put(chunk.array()).putInt((int) crc.getValue());
        return out.put(png, header, png.length - header).array();
    }

    private JobResult run(Recipe recipe) throws IOException {
        return TokenizeJob.run(JobContext.of(session, recipe, true));
    }

    @Test
    void whatAnEarlierAttemptFinishedIsKept() throws Exception {
        session.stop();
        session = LocalSpark.start(1);
        Files.writeString(fixture.input.resolve("apple/01.png"), "no picture");
        // A directory in the place of the third shard: its task fails when it publishes.
        Path obstacle = Files.createDirectories(fixture.output.resolve("part-000-00002.parquet"));
        expect(fixture.recipe(), ExitCode.USAGE, "part-000-00002.parquet: it is a directory");
        assertThat(fixture.output.resolve("_manifest.json")).doesNotExist();
        assertThat(RunOutput.readResult(fixture.storage, fixture.output.toString()))
                .hasValueSatisfying(result -> assertThat(result.status()).isEqualTo(JobResult.Status.FAILED));
        Map<String, Object> before = files(fixture.output);
        Files.delete(obstacle);

        JobResult result = TokenizeJob.run(JobContext.of(session, fixture.recipe(), true));
        assertThat(result.counts()).containsEntry("rows", 18L).containsEntry("bad", 1L);
        Map<String, Object> after = files(fixture.output);
        for (String kept : List.of("part-000-00000.parquet", "part-000-00001.parquet")) {
            assertThat(before).containsKey(kept);
            assertThat(after.get(kept)).isEqualTo(before.get(kept));
        }
        Path fresh = temp.resolve("fresh");
        TokenizeJob.run(JobContext.of(session, fixture.recipe("tokenize.output", fresh.toString()), true));
        assertThat(fixture.shards(fixture.output)).hasSize(4).isEqualTo(fixture.shards(fresh));
        assertThat(fixture.output.resolve(Manifest.NAME)).hasSameTextualContentAs(fresh.resolve(Manifest.NAME));
    }

    @Test
    void checkFindsADamagedShard() throws Exception {
        TokenizeJob.run(JobContext.of(session, fixture.recipe(), true));
        Recipe check = fixture.recipe("tokenize.check", "true");
        assertThat(TokenizeJob.run(JobContext.of(session, check, true)).counts())
                .containsEntry("rows", 20L);
        Path shard = fixture.output.resolve("part-000-00001.parquet");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[10] ^= 1;
        Files.write(shard, bytes);
        expect(check, ExitCode.DATA, "part-000-00001.parquet: its checksum does not match the manifest");
    }

    private void expect(Recipe recipe, ExitCode code, String message) {
        assertFails(code, () -> TokenizeJob.run(JobContext.of(session, recipe, true)))
                .contains(message);
    }

    /** How often each of the 64 codes occurs in rows that end with a list of tokens. */
    private static List<Long> occurrences(List<String> rows) {
        Long[] counts = new Long[64];
        Arrays.fill(counts, 0L);
        for (String row : rows) {
            for (String token : row.replaceAll(".*\\[|]", "").split(", ")) {
                counts[Integer.parseInt(token)]++;
            }
        }
        return List.of(counts);
    }

    private static String list(long[] tokens) {
        List<Long> list = new ArrayList<>();
        for (long token : tokens) {
            list.add(token);
        }
        return list.toString();
    }

    /** The identity of every file that is not hidden: it changes when a file is written anew. */
    private static Map<String, Object> files(Path directory) throws IOException {
        Map<String, Object> files = new TreeMap<>();
        try (var all = Files.list(directory)) {
            // Tasks of a job that has failed may still be taking back what they have begun, in hidden files.
            for (Path file : all.filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(Files::isRegularFile)
                    .toList()) {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                files.put(file.getFileName().toString(), List.of(attributes.fileKey(), attributes.lastModifiedTime()));
            }
        }
        return files;
    }
}
