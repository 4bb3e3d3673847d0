package io.github.rarspark.common.storage;

import io.github.rarspark.common.testing.Hdfs;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class HdfsStorageTest extends StorageContract {
    private Hdfs hdfs;

    @BeforeAll
    void start(@TempDir Path directory) throws IOException {
        hdfs = Hdfs.start(directory);
    }

    @AfterAll
    void stop() {
        hdfs.close();
    }

    @Override
    Storage storage() throws IOException {
        return new Storage(hdfs.configuration());
    }

    @Override
    String directory(String name) {
        return hdfs.uri(name);
    }
}
