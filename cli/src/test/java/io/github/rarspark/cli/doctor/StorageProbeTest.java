package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StorageProbeTest {
    @TempDir
    private Path folder;

    private String uri() {
        return folder.toUri().toString();
    }

    @Test
    void soundStorageIsMeasuredAndLeftEmpty() throws IOException {
        Storage storage = new Storage(new Configuration());
        StorageProbe.Speed speed = new StorageProbe(storage, uri(), 1 << 16).run("executor 1");
        assertThat(speed.writeBytesPerSecond()).isPositive();
        assertThat(speed.readBytesPerSecond()).isPositive();
        assertThat(speed.exclusive()).isTrue();
        assertThat(storage.walk(uri())).isEmpty();
    }

    @Test
    void storageThatCannotBeReadIsSaid() {
        Storage storage = new Storage(FaultyFiles.failing("object"::equals, "403 Forbidden"));
        assertThatThrownBy(() -> new StorageProbe(storage, uri(), 1 << 16).run("executor 1"))
                .hasMessageContaining("403 Forbidden");
    }

    /** A storage that says that uploads can be aborted, and completes them when they are. */
    public static final class Hasty extends FilterFileSystem {
        /** Made by Hadoop. */
        public Hasty() {
            super(new RawLocalFileSystem());
        }

        @Override
        public boolean hasPathCapability(org.apache.hadoop.fs.Path path, String capability) throws IOException {
            return capability.equals(CommonPathCapabilities.ABORTABLE_STREAM)
                    || super.hasPathCapability(path, capability);
        }
    }

    @Test
    void anObjectWhoseWriterGaveUpIsNotToBeSeen() {
        Configuration configuration = new Configuration();
        configuration.set("fs.file.impl", Hasty.class.getName());
        configuration.setBoolean("fs.file.impl.disable.cache", true);
        StorageProbe probe = new StorageProbe(new Storage(configuration), uri(), 1 << 16);
        assertThatThrownBy(() -> probe.run("executor 1"))
                .hasMessageContaining("an object whose writer gave up is visible");
    }

    @Test
    void theFolderIsGoneAfterwards() throws IOException {
        Storage storage = new Storage(new Configuration());
        String output = Storage.child(uri(), "new");
        try (ProbedFolder probed = ProbedFolder.in(storage, output)) {
            storage.putString(Storage.child(probed.path(), "left"), "x");
        }
        assertThat(folder).isEmptyDirectory();
        try (ProbedFolder probed = ProbedFolder.in(storage, output)) {
            storage.putString(Storage.child(probed.path(), "left"), "x");
            Files.writeString(folder.resolve("new/._of-a-job"), "x");
        }
        assertThat(folder.resolve("new/._of-a-job")).hasContent("x");
        Files.createDirectory(folder.resolve("old"));
        try (ProbedFolder probed = ProbedFolder.in(storage, Storage.child(uri(), "old"))) {
            storage.putString(Storage.child(probed.path(), "left"), "x");
        }
        assertThat(folder.resolve("old")).isEmptyDirectory();
    }
}
