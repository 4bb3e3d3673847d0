package io.github.rarspark.kernel.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.safetensors.HostileSafetensors;
import io.github.rarspark.kernel.weights.torch.HostileLegacy;
import io.github.rarspark.kernel.weights.torch.HostilePickles;
import io.github.rarspark.kernel.weights.torch.HostileZips;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files from the internet that are broken or malicious end in one line that says what is wrong: each in the check that
 * the table names, soon, in little memory, and with nothing executed.
 */
class HostileFilesTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Path FIXTURES = Path.of("src/test/resources/weights");
    /** Methods that only make or pass on what another one has found. */
    private static final Set<String> HELPERS = Set.of("malformed", "expect", "refused");

    @TempDir
    Path folder;

    static List<HostileFile> files() {
        return Stream.of(HostileSafetensors.all(), HostileZips.all(), HostilePickles.all(), HostileLegacy.all())
                .flatMap(List::stream)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("files")
    void isRefusedByItsCheck(HostileFile file) throws IOException {
        byte[] bytes = file.bytes().get();
        Path path = Files.write(folder.resolve("hostile"), bytes);
        assertTimeoutPreemptively(
                LIMIT, () -> assertRefused(file, () -> MappedRanges.inFile(path, channel -> read(file, channel))));
        assertTimeoutPreemptively(
                LIMIT,
                () -> assertRefused(
                        file,
                        () -> MappedRanges.inTemporaryFile(
                                new ByteArrayInputStream(bytes), channel -> read(file, channel))));
        try (Stream<Path> left = Stream.concat(Files.list(folder), Files.list(Path.of("")))) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).doesNotContain("executed");
        }
    }

    private static Void read(HostileFile file, FileChannel channel) throws IOException {
        file.readWhole(channel, "hostile");
        return null;
    }

    private static void assertRefused(HostileFile file, ThrowingCallable read) {
        assertThatThrownBy(read)
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("Cannot read hostile as ")
                .hasMessageContaining(file.check())
                .hasMessageMatching("\\P{Cntrl}{1,500}");
    }

    /** Counts the places in the readers that refuse the files of the table: many files are no proof of many checks. */
    @Test
    void theTableReachesManyChecks() throws IOException {
        Map<String, String> fileByCheck = new TreeMap<>();
        for (HostileFile file : files()) {
            Path path = Files.write(folder.resolve("hostile"), file.bytes().get());
            DataException refusal = catchThrowableOfType(
                    DataException.class, () -> MappedRanges.inFile(path, channel -> read(file, channel)));
            fileByCheck.putIfAbsent(place(refusal), file.name());
        }
        Files.write(
                Path.of("target", "hostile-files.txt"),
                fileByCheck.entrySet().stream()
                        .map(entry -> entry.getKey() + "  " + entry.getValue())
                        .toList());
        assertThat(files()).hasSizeGreaterThanOrEqualTo(190);
        assertThat(fileByCheck).hasSizeGreaterThanOrEqualTo(120);
    }

    private static String place(DataException refusal) {
        StackTraceElement place = Stream.of(refusal.getStackTrace())
                .filter(frame -> !HELPERS.contains(frame.getMethodName()))
                .findFirst()
                .orElseThrow();
        return place.getFileName() + ":" + place.getLineNumber();
    }

    @Test
    void theNamesInTheTableAreItsKeys() {
        Set<String> names = new HashSet<>();
        assertThat(files()).allMatch(file -> names.add(file.name()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"zip.pth", "legacy.pth", "expected.safetensors"})
    void everyBeginningOfAFileIsRefused(String name) throws IOException {
        Path path = Files.copy(FIXTURES.resolve(name), folder.resolve(name));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (long length = channel.size() - 1; length >= 0; length--) {
                channel.truncate(length);
                assertThatThrownBy(() -> TensorFile.read(channel, "cut")).isInstanceOf(DataException.class);
            }
        }
    }

    /** A file with another byte is refused or reads to its end; nothing else happens. */
    @ParameterizedTest
    @ValueSource(strings = {"zip.pth", "legacy.pth", "expected.safetensors"})
    void anotherByteAnywhereIsHarmless(String name) throws IOException {
        Path path = Files.copy(FIXTURES.resolve(name), folder.resolve(name));
        int refused = 0;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            byte[] original = MappedRanges.read(channel, 0, (int) channel.size());
            for (int i = 0; i < original.length; i++) {
                channel.write(ByteBuffer.wrap(new byte[] {(byte) ~original[i]}), i);
                try {
                    TensorFile file = TensorFile.read(channel, "flipped");
                    file.names().forEach(file::data);
                } catch (DataException e) {
                    refused++;
                }
                channel.write(ByteBuffer.wrap(original, i, 1), i);
            }
            assertThat(refused).isGreaterThan(original.length / 3);
        }
    }

    /** All files in one JVM whose heap is smaller than some of the files claim to need. */
    @Test
    void littleMemoryIsEnough() throws IOException, InterruptedException {
        List<HostileFile> files = files();
        for (int i = 0; i < files.size(); i++) {
            Files.write(
                    folder.resolve(Integer.toString(i)), files.get(i).bytes().get());
        }
        Process reader = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx192m",
                        "-XX:MaxDirectMemorySize=32m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HostileFilesMain.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(reader.getInputStream(), StandardCharsets.UTF_8))) {
            out.lines().forEach(lines::add);
        } finally {
            reader.destroyForcibly();
        }
        assertThat(lines).hasSameSizeAs(files);
        for (int i = 0; i < files.size(); i++) {
            assertThat(lines.get(i)).as(files.get(i).name()).startsWith(i + " DataException: Cannot read");
        }
    }
}
