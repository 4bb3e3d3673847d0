package io.github.rarspark.common.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.S3Server;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class S3StorageTest extends StorageContract {
    private S3Server server;

    @BeforeAll
    void start() throws Exception {
        server = S3Server.start().withBucket();
    }

    @AfterAll
    void stop() throws Exception {
        S3AFileSystem fs = (S3AFileSystem) new Path(S3Server.uri("")).getFileSystem(storage.configuration());
        Map<String, Long> counters = fs.getIOStatistics().counters();
        try {
            assertThat(counters.get("op_create")).isPositive();
            assertThat(counters).containsEntry("op_rename", 0L).containsEntry("object_copy_requests", 0L);
        } finally {
            fs.close();
            server.close();
        }
    }

    @Override
    Storage storage() {
        return new Storage(server.configuration());
    }

    @Override
    String directory(String name) {
        return S3Server.uri(name);
    }
}
