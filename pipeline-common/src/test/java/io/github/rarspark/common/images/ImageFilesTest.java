package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.AccessControlException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFilesTest {
    private static final int IMAGES = 10;

    @TempDir
    Path temp;

    private final Storage healthy = new Storage(new Configuration());

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(temp.resolve("a"));
        for (int i = 0; i < IMAGES; i++) {
            Files.writeString(temp.resolve("a/" + i + ".png"), "image " + i);
        }
    }

    @Test
    void aFileThatMayNotBeReadIsAFaultOfItsOwn() throws Exception {
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("3.png")) {
                throw new AccessControlException("Permission denied: user=me\n at a server");
            }
        }));
        for (int perUnit : new int[] {IMAGES, 3, 1}) {
            List<StoredImage> images = read(storage, perUnit);
            assertThat(images).hasSize(IMAGES);
            for (int i = 0; i < IMAGES; i++) {
                if (i == 3) {
                    assertThatThrownBy(images.get(i)::decode)
                            .isInstanceOf(DataException.class)
                            .hasMessage("Cannot read a/3.png: AccessControlException: Permission denied: user=me");
                } else {
                    assertThat(((StoredImage.Encoded) images.get(i)).file())
                            .asString()
                            .isEqualTo("image " + i);
                }
            }
        }
    }

    @Test
    void aFileThatIsGoneIsAFaultOfItsOwn() throws Exception {
        List<ImageUnit> units = units(IMAGES);
        Files.delete(temp.resolve("a/0.png"));
        List<StoredImage> images = read(healthy, units);
        assertThat(images)
                .filteredOn(image -> !(image instanceof StoredImage.Encoded))
                .hasSize(1);
        assertThatThrownBy(() -> images.get(0).decode())
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("Cannot read a/0.png: Missing file: ");
    }

    @Test
    void aStorageThatDoesNotAnswerIsNoFaultOfAnImage() {
        Storage storage = new Storage(FaultyFiles.failing(name -> true, "connection refused"));
        for (int perUnit : new int[] {IMAGES, 1}) {
            assertThatThrownBy(() -> read(storage, perUnit))
                    .isInstanceOf(IOException.class)
                    .hasMessage("connection refused");
        }
    }

    @Test
    void aStorageThatStopsAnsweringQuarantinesNothing() throws Exception {
        AtomicInteger opened = new AtomicInteger();
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (opened.incrementAndGet() > 5) {
                throw new IOException("connection reset");
            }
        }));
        List<StoredImage> images = new ArrayList<>();
        assertThatThrownBy(() -> units(IMAGES).get(0).read(storage, images::add))
                .isInstanceOf(IOException.class)
                .hasMessage("connection reset");
        assertThat(images).hasSize(5).hasOnlyElementsOfType(StoredImage.Encoded.class);
    }

    @Test
    void aFileThatFailsOnceIsReadAgain() throws Exception {
        AtomicInteger failures = new AtomicInteger();
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("0.png") && failures.getAndIncrement() == 0) {
                throw new IOException("connection reset");
            }
        }));
        assertThat(read(storage, IMAGES)).hasOnlyElementsOfType(StoredImage.Encoded.class);
    }

    @Test
    void anInterruptionIsNoFaultOfAnImage() {
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("4.png")) {
                throw new InterruptedIOException("interrupted");
            }
        }));
        assertThatThrownBy(() -> read(storage, IMAGES)).isInstanceOf(InterruptedIOException.class);
    }

    @Test
    void aHugeFileIsNotRead() throws Exception {
        try (RandomAccessFile huge =
                new RandomAccessFile(temp.resolve("a/5.png").toFile(), "rw")) {
            huge.setLength(3L << 30);
        }
        StoredImage image = read(healthy, IMAGES).get(5);
        assertThatThrownBy(image::decode)
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read a/5.png: it has 3221225472 bytes, more than the limit of 134217728");
    }

    @Test
    void aFileThatGrewIsReadUpToTheLimit() throws Exception {
        List<ImageUnit> units = units(IMAGES);
        try (RandomAccessFile huge =
                new RandomAccessFile(temp.resolve("a/5.png").toFile(), "rw")) {
            huge.setLength(3L << 30);
        }
        assertThatThrownBy(read(healthy, units).get(5)::decode)
                .hasMessage("Cannot read a/5.png: it has 134217729 bytes, more than the limit of 134217728");
    }

    private List<ImageUnit> units(int perUnit) throws IOException {
        return ImageSources.open(healthy, "--input", temp.toString()).units(perUnit);
    }

    private List<StoredImage> read(Storage storage, int perUnit) throws IOException {
        return read(storage, units(perUnit));
    }

    private static List<StoredImage> read(Storage storage, List<ImageUnit> units) throws IOException {
        List<StoredImage> images = new ArrayList<>();
        for (ImageUnit unit : units) {
            unit.read(storage, images::add);
        }
        return images;
    }
}
