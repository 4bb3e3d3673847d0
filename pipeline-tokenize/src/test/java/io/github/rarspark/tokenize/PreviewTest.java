package io.github.rarspark.tokenize;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class PreviewTest {
    @RegisterExtension
    static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    Path temp;

    private TokenizeFixture fixture;

    @BeforeEach
    void prepare() throws IOException {
        fixture = new TokenizeFixture(temp);
    }

    @Test
    void aLookWritesPictureAndFiguresOnly() throws Exception {
        JobResult result = run("tokenize.preview", "true");
        assertThat(result.counts()).containsEntry("images", 10L).containsEntry("bad", 0L);
        assertThat(names()).containsExactly(Preview.FIGURES, Preview.PICTURE);
        JsonNode figures = figures();
        assertThat(figures.path("tokens").asText()).isEqualTo("preview");
        assertThat(figures.path("psnr").asDouble())
                .isEqualTo(result.metrics().get("psnr"))
                .isBetween(0.0, 14.0);
        assertThat(sum(figures.path("token_counts"))).isEqualTo(10 * 16);
        assertThat(figures.path("images").size()).isEqualTo(10);
        assertThat(figures.path("images").get(4).path("sample_id").asText()).isEqualTo("pear/04.png");
        assertThat(result.warnings()).singleElement().asString().contains("dB only: look at preview.png");

        RgbImage sheet =
                new ImageDecoder().decode(Files.readAllBytes(fixture.output.resolve(Preview.PICTURE)), Preview.PICTURE);
        // Eight columns of 16 pixels, enlarged five times.
        assertThat(sheet.width()).isEqualTo(8 * 82 + 2);
    }

    @Test
    void afterALookTheFolderCanBeTokenizedInto() throws Exception {
        run("tokenize.preview", "true");
        JobResult result = run();
        assertThat(result.counts()).containsEntry("rows", 20L);
        JsonNode figures = figures();
        assertThat(figures.path("tokens").asText()).isEqualTo("all");
        assertThat(sum(figures.path("token_counts"))).isEqualTo(20 * 16);
        assertThat(result.metrics().get("psnr")).isEqualTo(figures.path("psnr").asDouble());
        assertThat(result.metrics().get("codes_used"))
                .isEqualTo(figures.path("codes_used").asDouble());
        double bits = figures.path("token_entropy").asDouble();
        assertThat(bits).isBetween(1.0, 6.0);
        assertThat(result.metrics().get("token_entropy")).isEqualTo(bits, within(1e-9));
    }

    @Test
    void ofAnInputWithoutUsableImagesNothingIsShown() throws Exception {
        try (Stream<Path> files = Files.walk(fixture.input)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.writeString(file, "not an image");
            }
        }
        assertFails(ExitCode.DATA, () -> run("tokenize.preview", "true"))
                .contains("none of the 10 images looked at can be used, the first is apple/00.png");
        assertThat(fixture.output).doesNotExist();
    }

    @Test
    void checksAndPreviewsAreCommandsOfTheirOwn() {
        assertFails(ExitCode.USAGE, () -> run("tokenize.preview", "true", "tokenize.check", "true"))
                .contains("--check and --preview together");
        assertFails(ExitCode.USAGE, () -> run("tokenize.preview", "true", "tokenize.input", "rows.jsonl"))
                .contains("Cannot preview --input rows.jsonl: it has tokens, not images");
    }

    @Test
    void imagesAreSpreadOverALargeInput() throws Exception {
        byte[] image = Files.readAllBytes(fixture.input.resolve("apple/00.png"));
        for (int i = 0; i < 60; i++) {
            Files.write(fixture.input.resolve("pear/more" + (10 + i) + ".png"), image);
        }
        run("tokenize.preview", "true");
        List<String> shown = StreamSupport.stream(figures().path("images").spliterator(), false)
                .map(shownImage -> shownImage.path("sample_id").asText())
                .toList();
        assertThat(shown).hasSize(16).doesNotHaveDuplicates().contains("apple/00.png");
        assertThat(shown.get(15)).isGreaterThan("pear/more60");
    }

    @Test
    void ofATarFileTheFirstImagesAreShown() throws Exception {
        byte[] image = Files.readAllBytes(fixture.input.resolve("apple/00.png"));
        Path folder = Files.createDirectory(temp.resolve("tars"));
        try (TarArchiveOutputStream tar =
                new TarArchiveOutputStream(Files.newOutputStream(folder.resolve("train.tar")))) {
            for (int i = 0; i < 20; i++) {
                member(tar, (10 + i) + ".png", image);
                member(tar, (10 + i) + ".cls", new byte[] {'1'});
            }
        }
        run("tokenize.preview", "true", "tokenize.input", folder.toString());
        assertThat(figures().path("images").size()).isEqualTo(16);
        assertThat(figures().path("images").get(15).path("sample_id").asText()).isEqualTo("train.tar/25.png");
    }

    private static void member(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private JobResult run(String... values) throws IOException {
        return TokenizeJob.run(SPARK.context(fixture.recipe(values)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(fixture.output)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    private JsonNode figures() throws IOException {
        return fixture.storage.readJson(fixture.output.resolve(Preview.FIGURES).toString(), JsonNode.class);
    }

    private static long sum(JsonNode numbers) {
        return StreamSupport.stream(numbers.spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .sum();
    }
}
