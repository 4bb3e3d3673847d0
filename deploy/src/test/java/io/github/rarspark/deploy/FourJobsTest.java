package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What tests on clusters compare with: the same jobs give the same contents, another seed gives others. */
class FourJobsTest {
    @TempDir
    private Path folder;

    @Test
    void contentsDependOnTheSeedOnly() throws Exception {
        FourJobs jobs = FourJobs.write(folder, folder.resolve("other").toUri().toString());
        Map<String, String> expected = jobs.expected(folder.resolve("one"));
        assertThat(jobs.expected(folder.resolve("two"))).isEqualTo(expected);
        try (SparkSession session = LocalSpark.start(2)) {
            jobs.run(session, Map.of("seed", "1", "generate.seed", "1"));
        }
        Map<String, String> other = jobs.contents(new Storage(new Configuration()));
        assertThat(other.keySet()).isEqualTo(expected.keySet());
        assertThat(other).allSatisfy((name, content) -> assertThat(content).isNotEqualTo(expected.get(name)));
    }
}
