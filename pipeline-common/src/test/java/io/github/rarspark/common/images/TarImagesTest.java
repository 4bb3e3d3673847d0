package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.common.testing.JobAssert;
import io.github.rarspark.common.testing.Tars;
import io.github.rarspark.kernel.error.DataException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.RandomAccessFile;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarImagesTest {
    private static final int RECORD = 512;

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    @Test
    void anImageAndItsLabelHaveOneKey() throws Exception {
        String longKey = "deep/" + "x".repeat(200) + "/ü";
        byte[] tar = new Tars()
                .add("a.jpg", "image a")
                .add("a.cls", "3")
                .add("__meta__/b.json", "{\"class_id\": 4, \"label\": 5}")
                .add("__meta__/b.PNG", "image b")
                .add("c.txt", "a caption without an image")
                .add("dir/d.seg.png", "no image of the key")
                .add("dir/d.Jpeg", "image d")
                .add("dir/d.json", "{\"label\": \"6\", \"width\": 2.5}")
                .add("dir/d.txt", "caption")
                .add(".hidden", "no key")
                .add(longKey + ".jpeg", "image e")
                .add(longKey + ".cls", " 7\n")
                .bytes();
        List<String> expected = List.of(
                "/a.jpg 3 image a",
                "/__meta__/b.PNG 4 image b",
                "/dir/d.Jpeg 6 image d",
                "/" + longKey + ".jpeg 7 image e");
        Files.createDirectories(temp.resolve("train"));
        Files.write(temp.resolve("train/0.tar"), tar);
        Files.write(temp.resolve("train/1.tar.gz"), gzip(tar));
        Files.write(temp.resolve("2.tgz"), gzip(tar));
        List<String> all = new ArrayList<>();
        for (String name : List.of("2.tgz", "train/0.tar", "train/1.tar.gz")) {
            expected.forEach(line -> all.add(name + line));
        }
        ListedImages source = open(temp);
        assertThat(source.images()).isEmpty();
        assertThat(source.listing().stream())
                .extracting(InputListing.File::name)
                .containsExactly("2.tgz", "train/0.tar", "train/1.tar.gz");
        assertThat(read(source.units(1000))).isEqualTo(all);
        assertThat(read(open(temp.resolve("2.tgz")).units(1))).isEqualTo(all.subList(0, 4));
        assertThat(read(source.only("train/0.tar"::equals).units(1))).isEqualTo(all.subList(4, 8));
        source.requireClasses("--input", 3);
    }

    @Test
    void smallFilesShareAUnit() {
        List<StoredFile> files =
                List.of(file("0.tar", 60), file("1.tar", 40), file("2.tar", 1), file("3.tar", 500), file("4.tar", 99));
        TarShards shards = new TarShards(files, Optional.empty(), List.of());
        assertThat(shards.units(1000)).hasSize(4);
        assertThat(shards.units(10_000)).hasSize(1);
        assertThat(shards.units(1)).hasSize(5);
    }

    @Test
    void whatIsWrongWithAnImageOrItsLabelIsItsOwn() throws Exception {
        TarArchiveEntry link = new TarArchiveEntry("link.jpg", TarConstants.LF_SYMLINK);
        link.setLinkName("a.jpg");
        Tars tar = new Tars()
                .add("a.jpg", "image")
                .add("b.cls", "1")
                .add("c.jpg", "image")
                .add("c.cls", "tench")
                .add("d.jpg", "image")
                .add("d.json", "{\"label\": 1, \"label\": 2}")
                .add("e.jpg", "image")
                .add("e.json", "{\"label\": [1]}")
                .add(link, new byte[0])
                .add("link.cls", "1")
                .add("f.jpg", "image")
                .add("f.cls", "12345678901");
        Map<String, String> bad = new HashMap<>();
        List<String> usable = new ArrayList<>();
        TarImages.read(new ByteArrayInputStream(tar.bytes()), file("x.tar", 0), Optional.empty(), image -> {
            if (image instanceof StoredImage.Encoded) {
                usable.add(image.id());
            } else {
                bad.put(image.id(), why(image));
            }
        });
        assertThat(usable).isEmpty();
        assertThat(bad)
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(
                                "x.tar/a.jpg",
                                "It has no label: no member a.cls or a.json follows or precedes it",
                                "x.tar/b",
                                "it has a label, but the archive has no image of its key",
                                "x.tar/c.jpg",
                                "Its label \"tench\" is not a class id; if labels are names, --class-map tells their ids",
                                "x.tar/d.jpg",
                                "It has no label: d.json is malformed, or has a field twice",
                                "x.tar/e.jpg",
                                "It has no label: e.json has no number or name under any of class_id, label, cls",
                                "x.tar/link.jpg",
                                "it is a link or a device in the archive, not a file",
                                "x.tar/f.jpg",
                                "Its label \"12345678901\" is not a class id; if labels are names, --class-map tells their ids"));
    }

    @Test
    void aMissingLabelCountsOnlyWhereLabelsDo() throws Exception {
        Files.write(temp.resolve("x.tar"), new Tars().add("a.png", "no image").bytes());
        ImageUnit unit = open(temp).units(1).get(0);
        assertThat(UsableImages.read(storage, unit, UsableImages.Labels.of(0), (image, pixels) -> {})
                        .bad())
                .containsExactly(new BadImage(
                        "x.tar/a.png", "It has no label: no member a.cls or a.json follows or precedes it"));
        assertThat(UsableImages.read(storage, unit, UsableImages.Labels.ANY, (image, pixels) -> {})
                        .bad())
                .singleElement()
                .satisfies(image -> assertThat(image.reason()).contains("neither PNG nor JPEG"));
    }

    @Test
    void labelsMayBeNamesOfAClassMap() throws Exception {
        Files.writeString(temp.resolve("classes.txt"), "n02 tench\nn01 goldfish\n");
        ClassMap map = ClassMap.read(storage, temp.resolve("classes.txt").toString());
        Tars tar = new Tars()
                .add("a.jpg", "image")
                .add("a.cls", "n01")
                .add("b.jpg", "image")
                .add("b.json", "{\"cls\": 0}")
                .add("c.jpg", "image")
                .add("c.cls", "2");
        Path file = temp.resolve("x.tar");
        Files.write(file, tar.bytes());
        ListedImages source = ImageSources.open(
                new ListingTasks(Optional.empty()), storage, "--input", file.toString(), Optional.of(map));
        assertThat(source.classNames()).containsExactly("tench", "goldfish");
        assertThat(source.sha256()).isNotEqualTo(open(file).sha256());
        assertThat(read(source.units(1)))
                .containsExactly(
                        "x.tar/a.jpg 1 image",
                        "x.tar/b.jpg 0 image",
                        "x.tar/c.jpg Its label \"2\" is not a class of " + map.path());
        assertThatThrownBy(() -> source.requireClasses("--input", 3)).isInstanceOf(DataException.class);
    }

    @Test
    void keysThatComeTwiceAreErrors() {
        refused(new Tars(), "it has the key a/k twice, with others between", "a/k.jpg", "a/k.cls", "b.jpg", "a/k.txt");
        refused(new Tars(), "the key k has two images", "k.jpg", "k.png");
        refused(new Tars(), "the key k has two images", "k.jpg", "k.cls", "k.jpg");
        refused(new Tars(), "the key k has two members k.cls", "k.cls", "k.jpg", "k.cls");
        refused(new Tars(), "the key k has two members k.json", "k.json", "k.json", "k.jpg");
    }

    private static void refused(Tars tar, String why, String... names) {
        JobAssert.assertFails(ExitCode.DATA, () -> {
                    for (String name : names) {
                        tar.add(name, "1");
                    }
                    TarImages.read(
                            new ByteArrayInputStream(tar.bytes()), file("x.tar", 0), Optional.empty(), image -> {});
                })
                .startsWith("Cannot read file:/x.tar: " + why);
    }

    /** Wherever an archive is cut off, even between two members. */
    @Test
    void anArchiveThatIsCutOffIsNamed() throws Exception {
        byte[] tar = new Tars()
                .add("a.jpg", "x".repeat(700))
                .add("a.cls", "1")
                .add("b.jpg", "y")
                .add("b.cls", "1")
                .bytes();
        int end = 512 + 1024 + 3 * 1024;
        for (int length = 0; length <= end; length += RECORD / 4) {
            byte[] cut = Arrays.copyOf(tar, length);
            assertThatThrownBy(() -> read(cut))
                    .as("%d bytes", length)
                    .isInstanceOf(DataException.class)
                    .hasMessageStartingWith("Cannot read file:/x.tar: the archive is damaged or cut off, after ")
                    .hasMessageContaining(" keys; copy it again or remove it (");
        }
        assertThat(read(Arrays.copyOf(tar, end + RECORD))).hasSize(2);
        byte[] zipped = gzip(tar);
        for (int length = 0; length < zipped.length; length += 7) {
            byte[] cut = Arrays.copyOf(zipped, length);
            assertThatThrownBy(() -> TarImages.read(
                            new ByteArrayInputStream(cut), file("x.tgz", 0), Optional.empty(), image -> {}))
                    .as("%d bytes", length)
                    .isInstanceOf(DataException.class)
                    .hasMessageStartingWith("Cannot read file:/x.tgz: the archive is damaged or cut off");
        }
    }

    @Test
    void aDamagedHeaderIsNamed() throws Exception {
        byte[] tar = new Tars().add("a.jpg", "x").add("a.cls", "1").bytes();
        for (int at : new int[] {0, 2 * RECORD, 2 * RECORD + 130}) {
            byte[] damaged = tar.clone();
            damaged[at] ^= 0x15;
            assertThatThrownBy(() -> read(damaged))
                    .as("byte %d", at)
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("the archive is damaged or cut off");
        }
        assertThatThrownBy(() -> read("<html>not found</html>".repeat(100).getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("the archive is damaged or cut off, after 0 keys");
    }

    @Test
    void whatStandsBehindTheEndIsNotLostWithoutAWord() throws Exception {
        byte[] first = new Tars().add("a.jpg", "x").add("a.cls", "1").bytes();
        byte[] second = new Tars().add("b.jpg", "x").add("b.cls", "1").bytes();
        for (int length : new int[] {first.length, 4 * RECORD + 2 * RECORD, 4 * RECORD + RECORD}) {
            InputStream both = new SequenceInputStream(
                    new ByteArrayInputStream(first, 0, length), new ByteArrayInputStream(second));
            assertThatThrownBy(() -> TarImages.read(both, file("x.tar", 0), Optional.empty(), image -> {}))
                    .as("%d bytes", length)
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("it goes on behind the end-of-archive record");
        }
    }

    @Test
    void aStorageThatFailsIsNoFaultOfTheArchive() throws Exception {
        byte[] tar =
                new Tars().add("a.jpg", new byte[300_000]).add("a.cls", "1").bytes();
        InputStream failing = new SequenceInputStream(new ByteArrayInputStream(tar, 0, 200_000), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }
        });
        assertThatThrownBy(() -> TarImages.read(failing, file("x.tar", 0), Optional.empty(), image -> {}))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("connection reset");
    }

    @Test
    void aHugeMemberIsNotRead() throws Exception {
        TarArchiveEntry huge = new TarArchiveEntry("huge.jpg");
        long size = 3L << 30;
        huge.setSize(size);
        byte[] header = new byte[RECORD];
        huge.writeEntryHeader(header);
        byte[] rest = new Tars()
                .add("huge.cls", "1")
                .add("a.jpg", "image")
                .add("a.cls", "1")
                .bytes();
        Path file = temp.resolve("x.tar");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(header);
            sparse.seek(RECORD + size);
            sparse.write(rest);
        }
        assertThat(read(open(file).units(1)))
                .containsExactly(
                        "x.tar/huge.jpg it has 3221225472 bytes, more than the limit of" + " 134217728",
                        "x.tar/a.jpg 1 image");
    }

    @Test
    void twoKindsOfInputAreRefused() throws Exception {
        Files.write(temp.resolve("x.tar"), new Tars().bytes());
        Files.writeString(temp.resolve("README.md"), "text");
        assertThat(open(temp).warnings())
                .containsExactly("README.md is left out, because a folder with tar files is read as tar alone");
        Files.writeString(temp.resolve("y.parquet"), "x");
        JobAssert.assertFails(ExitCode.DATA, () -> open(temp))
                .isEqualTo(
                        "Cannot read --input " + temp + ": it has tar files, such as x.tar, and Parquet files, such as"
                                + " y.parquet; give one kind");
    }

    @Test
    void anArchiveBesideOrAmongClassFoldersIsAStrayFile() throws Exception {
        Files.createDirectories(temp.resolve("n01"));
        Files.writeString(temp.resolve("n01/1.JPEG"), "image");
        Files.write(temp.resolve("n01/2.tar"), new Tars().bytes());
        Files.write(temp.resolve("train.tar"), new Tars().bytes());
        ListedImages source = open(temp);
        assertThat(source.listing().stream())
                .extracting(InputListing.File::name)
                .containsExactly("n01/1.JPEG", "n01/2.tar");
        assertThat(source.warnings()).containsExactly("train.tar is left out, because it is not in a class folder");
    }

    private ListedImages open(Path path) throws IOException {
        return ImageSources.open(storage, "--input", path.toString());
    }

    private static StoredFile file(String name, long kilobytes) {
        return new StoredFile("file:/" + name, name, 1_000_000 * kilobytes, 0);
    }

    private static List<String> read(byte[] tar) throws IOException {
        List<String> read = new ArrayList<>();
        TarImages.read(
                new ByteArrayInputStream(tar), file("x.tar", 0), Optional.empty(), image -> read.add(image.id()));
        return read;
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
                    image -> read.add(image.id() + " "
                            + (image instanceof StoredImage.Encoded encoded
                                    ? image.classId() + " " + new String(encoded.file(), StandardCharsets.UTF_8)
                                    : why(image))));
        }
        return read;
    }

    private static String why(StoredImage image) {
        if (image instanceof StoredImage.Unlabelled unlabelled) {
            return unlabelled.why();
        }
        return ((StoredImage.Unreadable) image).why();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }
}
