package io.github.rarspark.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.AccessControlException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StorageFailuresTest {
    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    static Stream<Arguments> lasting() {
        return Stream.of(
                Arguments.of(new IOException("No space left on device"), 69, "no space is left"),
                Arguments.of(new IOException("x: Disk quota exceeded"), 69, "no space is left"),
                Arguments.of(
                        new org.apache.hadoop.fs.ClusterStorageCapacityExceededException("full"),
                        69,
                        "no space is left"),
                Arguments.of(new IOException("a/b: Read-only file system"), 69, "the file system is read-only"),
                Arguments.of(new AccessDeniedException("a/b"), 69, "permission denied"),
                Arguments.of(new AccessControlException("Permission denied: user=a"), 69, "permission denied"),
                Arguments.of(new IOException("a/b: File name too long"), 64, "a name in the path is too long"),
                Arguments.of(
                        new IOException("The maximum path component name limit of n in directory / is exceeded"),
                        64,
                        "a name in the path is too long"),
                Arguments.of(new IOException("a/b: Not a directory"), 64, "a file has the name of a parent directory"));
    }

    @ParameterizedTest
    @MethodSource("lasting")
    void whatARetryCannotMendHasACodeAndALine(IOException failure, int code, String why) {
        fails(() -> StorageFailures.writing("s3a://b/x", failure), code, "Cannot write s3a://b/x: " + why);
    }

    @Test
    void otherFailuresStayWhatTheyAre() {
        IOException reset = new IOException("Connection reset");
        assertThat(StorageFailures.writing("s3a://b/x", reset)).isSameAs(reset);
    }

    @Test
    void aWriterThatCannotReadItsInputIsNotAnUnwritableObject() {
        AccessDeniedException input = new AccessDeniedException("input");
        String path = temp.resolve("a").toString();
        assertThatThrownBy(() -> storage.put(path, out -> {
                    throw input;
                }))
                .isSameAs(input);
    }

    @Test
    void anUnknownHostIsAMissingInput() {
        fails(
                () -> storage.exists("hdfs://no-such-host.invalid:8020/tokens"),
                66,
                "Cannot reach hdfs://no-such-host.invalid:8020/tokens: the host no-such-host.invalid is unknown;"
                        + " correct the URI");
    }

    @Test
    void aSchemeWithoutFileSystemIsBadUsage() {
        fails(
                () -> storage.exists("gs://bucket/tokens"),
                64,
                "Cannot use gs://bucket/tokens: no file system for the scheme gs; use file:, hdfs: or s3a:, or add its"
                        + " connector to the class path (--packages)");
    }

    @Test
    void aFileWhereAFolderIsWantedIsBadUsage() throws Exception {
        Files.writeString(temp.resolve("file"), "x");
        fails(
                () -> storage.putString(temp.resolve("file/a").toString(), "x"),
                64,
                "Cannot write file:" + temp.resolve("file/a") + ": a file has the name of a parent directory");
    }

    @Test
    @Tag("fault")
    void aFullDiskSaysSoAndKeepsTheObjectOfBefore() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(temp, 1 << 20)) {
            String path = disk.path().resolve("a").toString();
            storage.putString(path, "before");
            fails(
                    () -> storage.putBytes(path, new byte[2 << 20]),
                    69,
                    "Cannot write file:" + path + ": no space is left on the device or in the quota; free some");
            assertThat(storage.readString(path)).isEqualTo("before");
            try (Stream<Path> files = Files.list(disk.path())) {
                assertThat(files).hasSize(1);
            }
        }
    }

    @Test
    @Tag("fault")
    void aReadOnlyDiskSaysSo() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(temp, 1 << 20)) {
            disk.makeReadOnly();
            String path = disk.path().resolve("run/_plan.json").toString();
            fails(
                    () -> storage.putString(path, "x"),
                    69,
                    "Cannot write file:" + path + ": the file system is read-only; choose another place");
        }
    }

    private static void fails(ThrowingCallable call, int code, String line) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        JobException.class,
                        e -> assertThat(e.exitCode().number()).isEqualTo(code))
                .satisfies(e -> assertThat(Failures.message(e)).startsWith(line));
    }
}
