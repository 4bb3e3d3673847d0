package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.testing.OddImages;
import io.github.rarspark.kernel.testing.OddImages.Kind;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.security.AccessControlException;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One job over a folder of everything that a data set holds by accident. */
@Timeout(120)
class OddImagesTest {
    private static final int CROPS = 2;

    @TempDir
    Path temp;

    private TokenizeFixture fixture;
    private SparkSession session;

    /** Part of the reason why each file is bad. */
    private final Map<String, String> bad = new TreeMap<>();
    /** The pixels of each file that is usable; files of the same pixels have the same tokens. */
    private final Map<String, String> usable = new TreeMap<>();

    @BeforeEach
    void start() throws IOException {
        fixture = new TokenizeFixture(temp);
        session = LocalSpark.start(2);
        for (int i = 0; i < TokenizeFixture.IMAGES; i++) {
            usable.put((i < 4 ? "apple/0" : "pear/0") + i + ".png", "image " + i);
        }
    }

    @AfterEach
    void stop() {
        session.stop();
    }

    @Test
    void everyFileGivesRowsOrStandsInTheQuarantine() throws Exception {
        addOddContents();
        addOddNames();
        addOddFiles();
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("secret.png")) {
                throw new AccessControlException("Permission denied: user=me");
            }
            if (path.getName().equals("gone.png")) {
                throw new FileNotFoundException("gone since the listing");
            }
        }));
        JobResult result = TokenizeJob.run(new JobContext(
                session,
                storage,
                fixture.recipe("tokenize.max_bad", "1000", "tokenize.batch", "16", "tokenize.shard_images", "40"),
                true));

        Map<String, String> quarantine = quarantine();
        assertThat(quarantine.keySet()).containsExactlyElementsOf(bad.keySet());
        bad.forEach((name, reason) -> assertThat(quarantine.get(name)).contains(name, reason));
        Map<String, Set<String>> tokens = tokens();
        assertThat(tokens.keySet()).containsExactlyElementsOf(usable.keySet());
        Map<String, Set<String>> byPixels = new HashMap<>();
        usable.forEach((name, pixels) -> assertThat(tokens.get(name))
                .as(name)
                .isEqualTo(byPixels.computeIfAbsent(pixels, first -> tokens.get(name))));
        assertThat(result.counts())
                .containsEntry("images", (long) usable.size())
                .containsEntry("rows", (long) CROPS * usable.size())
                .containsEntry("bad", (long) bad.size())
                .containsEntry("oriented", 1L);
        assertThat(TokenizeFixture.warnings(result))
                .anyMatch(warning -> warning.contains("dangling.png and 1 more are left out"))
                .anyMatch(warning -> warning.contains("left out, because its name is not text"));
    }

    /** Every kind under the extension of ImageNet, also PNG files. */
    private void addOddContents() throws IOException {
        for (Kind kind : OddImages.all()) {
            String name = "apple/" + kind.name() + ".JPEG";
            Files.write(fixture.input.resolve(name), kind.file());
            if (kind.isUsable()) {
                boolean exact = kind.pixels().contains(" ");
                usable.put(name, exact ? kind.pixels() : kind.name());
            } else {
                bad.put(name, kind.reason());
            }
        }
    }

    private void addOddNames() throws Exception {
        List<String> names = List.of(
                "two words.png",
                " spaces around ",
                "no-extension",
                "UPPER.PNG",
                "wrong.txt",
                "50%.png",
                "a%20b.png",
                "a+b&c=d.png",
                "#1.png",
                "semi;colon.png",
                "what?.png",
                "[0-9].png",
                "{a,b}.png",
                "star*.png",
                "quote'\".png",
                "back\\slash.png",
                "two\nlines.png",
                "tab\t.png",
                "caf\u00e9.png",
                "cafe\u0301.png",
                "\u732b.png",
                "\ud83d\udc31.png",
                "_underscore.png",
                "10:30.png",
                "dots...png",
                "-dash.png",
                "~home.png",
                "x".repeat(250) + ".png");
        for (String name : names) {
            Files.write(fixture.input.resolve("pear/" + name), PngEncoder.encode(TokenizeFixture.image(5)));
            usable.put("pear/" + name, "image 5");
        }
        Files.write(fixture.input.resolve("pear/.hidden.png"), PngEncoder.encode(TokenizeFixture.image(5)));
        // The byte 0xE9 is an é in Latin-1 and nothing in UTF-8.
        run("cp 05.png \"$(printf 'caf\\351').png\"");
    }

    private void addOddFiles() throws Exception {
        run("mkfifo pipe.png && ln -s nowhere dangling.png && ln -s loop.png loop.png && ln -s 05.png link.png");
        bad.put("pear/pipe.png", "Cannot read pear/pipe.png: ");
        usable.put("pear/link.png", "image 5");
        Path folder = Files.createDirectories(fixture.input.resolve("pear/folder.jpg"));
        Files.write(folder.resolve("1.jpg"), PngEncoder.encode(TokenizeFixture.image(5)));
        usable.put("pear/folder.jpg/1.jpg", "image 5");
        Files.createDirectories(fixture.input.resolve("pear/empty-folder.jpg"));
        Files.write(fixture.input.resolve("pear/secret.png"), new byte[1]);
        bad.put("pear/secret.png", "Permission denied: user=me");
        Files.write(fixture.input.resolve("pear/gone.png"), new byte[1]);
        bad.put("pear/gone.png", "gone since the listing");
        try (RandomAccessFile stray =
                new RandomAccessFile(fixture.input.resolve("pear/backup.png").toFile(), "rw")) {
            stray.setLength(3L << 30);
        }
        bad.put("pear/backup.png", "it has 3221225472 bytes, more than the limit of 134217728");
    }

    /** Runs shell commands in a class folder. */
    private void run(String script) throws Exception {
        Process shell = new ProcessBuilder("sh", "-c", script)
                .directory(fixture.input.resolve("pear").toFile())
                .inheritIO()
                .start();
        assertThat(shell.waitFor()).isZero();
    }

    private Map<String, String> quarantine() throws IOException {
        Map<String, String> reasons = new TreeMap<>();
        for (String line : Files.readAllLines(fixture.output.resolve("quarantine.jsonl"))) {
            JsonNode image = new ObjectMapper().readTree(line);
            assertThat(reasons.put(
                            image.get("path").asText(), image.get("reason").asText()))
                    .as(line)
                    .isNull();
        }
        return reasons;
    }

    /** The crops and tokens of each image. */
    private Map<String, Set<String>> tokens() throws IOException {
        Map<String, Set<String>> rows = new TreeMap<>();
        for (String name : fixture.shards(fixture.output).keySet()) {
            try (ParquetReader<GenericRecord> reader =
                    ParquetShard.read(fixture.storage, Storage.child(fixture.output.toString(), name))) {
                for (GenericRecord row = reader.read(); row != null; row = reader.read()) {
                    boolean isNew = rows.computeIfAbsent(row.get("sample_id").toString(), image -> new HashSet<>())
                            .add(row.get("crop") + " " + row.get("tokens"));
                    assertThat(isNew).as("%s", row).isTrue();
                }
            }
        }
        assertThat(rows.values()).allMatch(crops -> crops.size() == CROPS);
        return rows;
    }
}
