package io.github.rarspark.common.images;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.shard.ParquetFooter;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ImageSourcesTest {
    private static final MessageType HUB = MessageTypeParser.parseMessageType(
            """
            message images {
              optional int96 taken;
              optional group image { optional binary bytes; optional binary path (STRING); }
              optional int64 label;
            }
            """);
    private static final String NAMES =
            "{\"info\": {\"features\": {\"label\": {\"names\": [\"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}}";

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    @Test
    void classIdsNumberTheSortedFolderNames() throws Exception {
        for (String name : List.of("b/2.png", "b/1.png", "a/deep/3.png", "ç/4.png", "beside.txt", "a/.hidden")) {
            Path file = temp.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "content of " + name);
        }
        ImageSource source = ImageSources.open(storage, "--input", temp.toString());
        assertThat(source.classNames()).containsExactly("a", "b", "ç");
        assertThat(source.images()).hasValue(4);
        assertThat(read(source.units(3)))
                .containsExactly(
                        "a/deep/3.png 0 content of a/deep/3.png",
                        "b/1.png 1 content of b/1.png",
                        "b/2.png 1 content of b/2.png",
                        "ç/4.png 2 content of ç/4.png");
        assertThat(source.units(3))
                .extracting(unit -> unit.images().orElseThrow())
                .containsExactly(3L, 1L);
        assertThat(source.warnings()).containsExactly("beside.txt is left out, because it is not in a class folder");
    }

    @Test
    void filesOfAnyNameAreReadInTheOrderOfTheirNames() throws Exception {
        List<String> names = List.of("a%20b/1:2 #?.png", "a-b/x.png", "a/[1].png", "a/ü/{2}.png", "b:c/\\n.png");
        for (String name : names) {
            Path file = temp.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "content");
        }
        ListedImages source = open();
        assertThat(source.classNames()).containsExactly("a", "a%20b", "a-b", "b:c");
        assertThat(source.listing().stream())
                .extracting(InputListing.File::name)
                .containsExactlyElementsOf(names);
        assertThat(source.listing().stream()).allSatisfy(file -> {
            assertThat(file.bytes()).isEqualTo("content".length());
            assertThat(file.modified())
                    .isEqualTo(
                            Files.getLastModifiedTime(temp.resolve(file.name())).toMillis());
        });
        assertThat(read(source.units(10)))
                .containsExactly(
                        "a%20b/1:2 #?.png 1 content",
                        "a-b/x.png 2 content", "a/[1].png 0 content", "a/ü/{2}.png 0 content", "b:c/\\n.png 3 content");
    }

    @Test
    void someOfTheFilesKeepTheirClasses() throws Exception {
        for (String name : List.of("a/1.png", "b/1.png", "b/2.png")) {
            Files.createDirectories(temp.resolve(name).getParent());
            Files.writeString(temp.resolve(name), name);
        }
        ListedImages some = open().only(name -> name.equals("b/2.png"));
        assertThat(some.images()).hasValue(1);
        assertThat(some.classNames()).containsExactly("a", "b");
        assertThat(read(some.units(10))).containsExactly("b/2.png 1 b/2.png");
        assertThat(some.sha256()).isNotEqualTo(open().sha256());
        write("1.parquet", 0, 3);
        write("2.parquet", 3, 2);
        ListedImages second = open().only(name -> name.equals("2.parquet"));
        assertThat(second.listing().stream())
                .extracting(InputListing.File::name)
                .containsExactly("2.parquet");
        assertThat(second.classNames()).containsExactly("cat", "dog");
        assertThat(read(second.units(10))).containsExactly("2.parquet#0 1 image 3", "2.parquet#1 0 image 4");
    }

    @Test
    void whatIsLeftOutOfAListingIsTold() throws Exception {
        Files.createDirectories(temp.resolve("cat"));
        Files.writeString(temp.resolve("cat/1.png"), "1");
        assertThat(open().warnings()).isEmpty();
        for (String name : List.of("1.png", "2.png", "_SUCCESS", ".DS_Store")) {
            Files.writeString(temp.resolve(name), "loose");
        }
        Files.createDirectories(temp.resolve("dog/puppies"));
        Files.createDirectories(temp.resolve("eel"));
        Files.createDirectories(temp.resolve(".git"));
        Files.createSymbolicLink(temp.resolve("cat/lost.png"), temp.resolve("cat/9.png"));
        Files.createSymbolicLink(temp.resolve("cat/other.png"), temp.resolve("cat/1.png"));
        Files.createSymbolicLink(temp.resolve("fox"), temp.resolve("foxes"));
        ImageSource source = open();
        assertThat(source.images()).hasValue(2);
        assertThat(source.warnings())
                .containsExactly(
                        "1.png and 1 more are left out, because they are not in a class folder",
                        "dog and 1 more are not classes, because the folders have no images",
                        "cat/lost.png and 1 more are left out, because the links are broken");
    }

    @Test
    void namesThatJavaCannotDecodeAreTold() throws Exception {
        Files.createDirectories(temp.resolve("cat"));
        Files.writeString(temp.resolve("cat/1.png"), "1");
        // The byte 0xE9 is an é in Latin-1 and nothing in UTF-8 and ASCII.
        String script = "n=$(printf 'caf\\351') && mkdir \"$n\" && touch \"$n/2.png\" \"cat/$n.png\"";
        assertThat(new ProcessBuilder("sh", "-c", script)
                        .directory(temp.toFile())
                        .start()
                        .waitFor())
                .isZero();
        ImageSource source = open();
        assertThat(source.images()).hasValue(1);
        assertThat(source.warnings())
                .singleElement()
                .asString()
                .startsWith("caf")
                .contains(" and 1 more are left out, because their names are not text in this process's encoding");
    }

    /** Prints the warnings about the folder that it gets. */
    static final class Warnings {
        public static void main(String[] args) throws IOException {
            ImageSources.open(new Storage(new Configuration()), "--input", args[0])
                    .warnings()
                    .forEach(System.out::println);
        }
    }

    @Test
    @Timeout(60)
    void namesBeyondAnAsciiLocaleAreTold() throws Exception {
        for (String name : List.of("cat/1.png", "ç/2.png")) {
            Files.createDirectories(temp.resolve(name).getParent());
            Files.writeString(temp.resolve(name), name);
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                java, "-cp", System.getProperty("java.class.path"), Warnings.class.getName(), temp.toString());
        builder.environment().put("LC_ALL", "C");
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .contains(" is left out, because its name is not text in this process's encoding of file names,"
                            + " ANSI_X3.4-1968; rename or set LC_ALL");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void filesBesideParquetAreTold() throws Exception {
        write("data/train-0.parquet", 0, 3);
        Files.writeString(temp.resolve("data/_manifest.json"), "{}");
        Files.createDirectories(temp.resolve("cat"));
        Files.writeString(temp.resolve("cat/1.png"), "1");
        assertThat(open().warnings())
                .containsExactly("cat/1.png is left out, because a folder with Parquet files is read as Parquet alone");
    }

    @Test
    void imagesOutsideOfClassFoldersAreNamedWhereNoneIsIn() throws Exception {
        Files.writeString(temp.resolve("1.png"), "1");
        Files.writeString(temp.resolve("2.png"), "2");
        assertThatThrownBy(this::open)
                .hasMessageEndingWith("(1.png and 1 more are left out, because they are not in a class folder)");
    }

    @Test
    void classFoldersOfAnotherNumberAreRefused() throws Exception {
        for (String name : List.of("a/1.png", "b/1.png", "d/1.png")) {
            Files.createDirectories(temp.resolve(name).getParent());
            Files.writeString(temp.resolve(name), name);
        }
        Files.createDirectories(temp.resolve("c"));
        open().requireClasses("--input", 3);
        for (int classes : new int[] {2, 4, 1000}) {
            assertFails(ExitCode.DATA, () -> open().requireClasses("--input", classes))
                    .isEqualTo("Cannot number the classes of --input " + temp + ": it has 3 class folders with images,"
                            + " and model.classes=" + classes + "; class ids number the sorted folders, so a missing or"
                            + " extra folder shifts them: add or remove folders, name their ids with --class-map, or set"
                            + " model.classes=3 (c is not a class,"
                            + " because the folder has no images)");
        }
        write("train.parquet", 0, 3);
        open().requireClasses("--input", 1000);
    }

    private ListedImages open() throws IOException {
        return ImageSources.open(storage, "--input", temp.toString());
    }

    @Test
    void aNewFileChangesTheListingsHash() throws Exception {
        Files.createDirectories(temp.resolve("a"));
        Files.writeString(temp.resolve("a/1.png"), "1");
        String before = ImageSources.open(storage, "--input", temp.toString()).sha256();
        assertThat(ImageSources.open(storage, "--input", temp.toString()).sha256())
                .isEqualTo(before);
        Files.writeString(temp.resolve("a/2.png"), "2");
        assertThat(ImageSources.open(storage, "--input", temp.toString()).sha256())
                .isNotEqualTo(before);
    }

    @Test
    void unitsOfParquetCoverEachRowOnceWhereverRowGroupsEnd() throws Exception {
        String first = write("data/train-0.parquet", 0, 250);
        write("data/train-1.parquet", 250, 30);
        assertThat(ParquetFooter.read(storage, first).rowGroups()).hasSizeGreaterThan(1);
        ImageSource source = ImageSources.open(storage, "--input", temp.toString());
        assertThat(source.classNames()).containsExactly("cat", "dog");
        assertThat(source.images()).hasValue(280);
        List<String> all = new ArrayList<>();
        for (int row = 0; row < 280; row++) {
            String file = row < 250 ? "data/train-0.parquet#" + row : "data/train-1.parquet#" + (row - 250);
            all.add(file + " " + row % 2 + " image " + row);
        }
        for (int perUnit : new int[] {1000, 100, 70}) {
            assertThat(read(source.units(perUnit))).isEqualTo(all);
        }
        assertThat(read(ImageSources.open(storage, "--input", first).units(7)))
                .hasSize(250)
                .contains("train-0.parquet#249 1 image 249");
    }

    @Test
    void anEmptyFolderIsNoInput() {
        assertFails(ExitCode.NO_INPUT, () -> ImageSources.open(storage, "--input", temp.toString()))
                .isEqualTo("Cannot read --input " + temp + ": it contains no images; give a folder with one folder per"
                        + " class, Parquet files with the columns image and label, or tar files");
    }

    @Test
    void parquetOfOtherColumnsIsNamed() throws Exception {
        Path file = temp.resolve("x.parquet");
        storage.put(file.toString(), out -> {});
        assertFails(ExitCode.DATA, () -> ImageSources.open(storage, "--input", temp.toString()))
                .contains("not a Parquet file");
        MessageType other = MessageTypeParser.parseMessageType("message m { required binary image; }");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(
                        new org.apache.hadoop.fs.Path(temp.resolve("y.parquet").toUri()))
                .withType(other)
                .build()) {
            writer.write(new SimpleGroupFactory(other).newGroup().append("image", Binary.fromString("x")));
        }
        Files.delete(file);
        assertFails(ExitCode.DATA, () -> ImageSources.open(storage, "--input", temp.toString()))
                .contains("expected a column image with a field bytes, and an integer column label; its"
                        + " columns are [image]");
    }

    @Test
    void damagedParquetIsNamedWithItsRow() throws Exception {
        String path = write("damaged.parquet", 0, 250);
        Path file = temp.resolve("damaged.parquet");
        byte[] bytes = Files.readAllBytes(file);
        ParquetFooter.RowGroup second =
                ParquetFooter.read(storage, path).rowGroups().get(1);
        int pageHeader = Math.toIntExact(second.startByte() + second.bytes()) - 40;
        int lengthOfValue = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("image 150") - Integer.BYTES;
        for (int damage : new int[] {pageHeader, lengthOfValue}) {
            byte[] damaged = bytes.clone();
            Arrays.fill(damaged, damage, damage + Integer.BYTES, (byte) 0xff);
            Files.write(file, damaged);
            List<ImageUnit> units = ImageSources.open(storage, "--input", path).units(1000);
            assertThatThrownBy(() -> read(units))
                    .as("damage at %d", damage)
                    .isInstanceOf(DataException.class)
                    .hasMessageMatching("Cannot read row 1\\d\\d of .*damaged.parquet: the file is corrupt");
        }
    }

    @Test
    void aLabelBeyondAllClassesIsABadImage() throws Exception {
        Path file = temp.resolve("x.parquet");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
                .withType(HUB)
                .build()) {
            Group row = new SimpleGroupFactory(HUB).newGroup();
            row.addGroup("image").append("bytes", Binary.fromString("x"));
            writer.write(row.append("label", 1L << 32));
        }
        ImageUnit unit =
                ImageSources.open(storage, "--input", file.toString()).units(1).get(0);
        ImageFindings findings =
                UsableImages.read(storage, unit, UsableImages.Labels.of(10), (image, pixels) -> fail(image.id()));
        assertThat(findings.bad())
                .containsExactly(
                        new BadImage("x.parquet#0", "Cannot read x.parquet#0: its label 4294967296 is not a class"));
    }

    /** Rows whose bytes are a text; row groups end every 100 rows. */
    private String write(String name, int from, int count) throws Exception {
        Path file = temp.resolve(name);
        Files.createDirectories(file.getParent());
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
                .withType(HUB)
                .withRowGroupSize(1L)
                .withExtraMetaData(Map.of("huggingface", NAMES))
                .build()) {
            for (int i = from; i < from + count; i++) {
                Group row = new SimpleGroupFactory(HUB).newGroup();
                row.addGroup("image").append("bytes", Binary.fromString("image " + i));
                writer.write(row.append("label", i % 2L));
            }
        }
        return file.toUri().toString();
    }

    /** What a task sees: the units go through serialisation. */
    private List<String> read(List<ImageUnit> units) throws Exception {
        List<String> read = new ArrayList<>();
        for (ImageUnit unit : units) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(unit);
            }
            ImageUnit copy =
                    (ImageUnit) new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
            copy.read(
                    storage,
                    image -> read.add(image.id() + " " + image.classId() + " "
                            + new String(((StoredImage.Encoded) image).file(), StandardCharsets.UTF_8)));
        }
        return read;
    }
}
