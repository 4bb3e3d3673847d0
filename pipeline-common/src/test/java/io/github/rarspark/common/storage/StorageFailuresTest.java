package io.github.rarspark.common.storage;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.AccessControlException;
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
                Arguments.of(new IOException("No space left on device"), ExitCode.UNAVAILABLE, "no space is left"),
                Arguments.of(new IOException("x: Disk quota exceeded"), ExitCode.UNAVAILABLE, "no space is left"),
                Arguments.of(
                        new org.apache.hadoop.fs.ClusterStorageCapacityExceededException("full"),
                        ExitCode.UNAVAILABLE,
                        "no space is left"),
                Arguments.of(
                        new IOException("a/b: Read-only file system"),
                        ExitCode.UNAVAILABLE,
                        "the file system is read-only"),
                Arguments.of(new AccessDeniedException("a/b"), ExitCode.UNAVAILABLE, "permission denied; choose"),
                Arguments.of(
                        new AccessDeniedException(
                                "a/b", null, "(Status Code: 403; Error Code: AccessDenied; Proxy: 1)"),
                        ExitCode.UNAVAILABLE,
                        "permission denied (AccessDenied); check the credentials"),
                Arguments.of(
                        new AccessControlException("Permission denied: user=a"),
                        ExitCode.UNAVAILABLE,
                        "permission denied"),
                Arguments.of(
                        new IOException("a/b: File name too long"), ExitCode.USAGE, "a name in the path is too long"),
                Arguments.of(
                        new IOException("The maximum path component name limit of n in directory / is exceeded"),
                        ExitCode.USAGE,
                        "a name in the path is too long"),
                Arguments.of(
                        new IOException("a/b: Not a directory"),
                        ExitCode.USAGE,
                        "a file has the name of a parent directory"));
    }

    @ParameterizedTest
    @MethodSource("lasting")
    void whatARetryCannotMendHasACodeAndALine(IOException failure, ExitCode code, String why) {
        assertFails(code, () -> StorageFailures.writing("s3a://b/x", failure))
                .startsWith("Cannot write s3a://b/x: " + why);
    }

    @Test
    void aDirectoryThatCannotBeCreatedIsNotAMissingInput() {
        assertFails(ExitCode.UNAVAILABLE, () -> storage.putString("file:/proc/nothing/x", ""))
                .isEqualTo("Cannot write file:/proc/nothing/x: its directory cannot be created; choose another place");
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
        assertFails(ExitCode.NO_INPUT, () -> storage.exists("hdfs://no-such-host.invalid:8020/tokens"))
                .startsWith(
                        "Cannot reach hdfs://no-such-host.invalid:8020/tokens: the host no-such-host.invalid is unknown;"
                                + " correct the URI");
    }

    @Test
    void aSchemeWithoutFileSystemIsBadUsage() {
        assertFails(ExitCode.USAGE, () -> storage.exists("gs://bucket/tokens"))
                .startsWith(
                        "Cannot use gs://bucket/tokens: no file system for the scheme gs; use file:, hdfs: or s3a:, or add its"
                                + " connector to the class path (--packages)");
    }

    @Test
    void aFileWhereAFolderIsWantedIsBadUsage() throws Exception {
        Files.writeString(temp.resolve("file"), "x");
        assertFails(
                        ExitCode.USAGE,
                        () -> storage.putString(temp.resolve("file/a").toString(), "x"))
                .startsWith(
                        "Cannot write file:" + temp.resolve("file/a") + ": a file has the name of a parent directory");
    }

    @Test
    @Tag("fault")
    void aFullDiskSaysSoAndKeepsTheObjectOfBefore() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(temp, 1 << 20)) {
            String path = disk.path().resolve("a").toString();
            storage.putString(path, "before");
            assertFails(ExitCode.UNAVAILABLE, () -> storage.putBytes(path, new byte[2 << 20]))
                    .startsWith("Cannot write file:" + path
                            + ": no space is left on the device or in the quota; free some");
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
            assertFails(ExitCode.UNAVAILABLE, () -> storage.putString(path, "x"))
                    .startsWith("Cannot write file:" + path + ": the file system is read-only; choose another place");
        }
    }
}
