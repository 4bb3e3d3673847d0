package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.kernel.error.DataException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
    record Body(List<ShardReceipt> shards, double big, float small, long totalRows) {}

    private static final Body BODY =
            new Body(List.of(new ShardReceipt("part-0", 3, 10, "abc")), 1e21, 0.1f, Long.MAX_VALUE);

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());
    private String directory;
    private OutputClaim claim;

    @BeforeEach
    void open() throws Exception {
        directory = temp.toUri().toString();
        claim = Claims.claim(storage, directory, Plan.of("test", "r", Map.of(), Map.of()));
    }

    @AfterEach
    void close() throws Exception {
        claim.close();
    }

    @Test
    void aManifestIsReadAsItWasWritten() throws Exception {
        Manifest.publish(claim, BODY);
        assertThat(Manifest.read(storage, directory, Body.class)).isEqualTo(BODY);
        assertThat(Manifest.sha256(storage, directory)).matches("[0-9a-f]{64}");
        assertThat(storage.readString(claim.path("_manifest.json")))
                .contains("\"total_rows\" : 9223372036854775807")
                .contains("\"sha256\" : \"" + Manifest.sha256(storage, directory) + "\"");
    }

    @Test
    void aChangedManifestIsRefused() throws Exception {
        Manifest.publish(claim, BODY);
        String path = claim.path("_manifest.json");
        storage.putString(path, storage.readString(path).replace("\"rows\" : 3", "\"rows\" : 4"));
        assertThatThrownBy(() -> Manifest.read(storage, directory, Body.class))
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read " + path + ": its checksum does not match; write the output again");
        storage.putString(path, storage.readString(path).substring(0, 40));
        assertThatThrownBy(() -> Manifest.read(storage, directory, Body.class))
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read " + path + ": it is damaged; write the output again");
    }

    @Test
    void anUnfinishedOutputIsMissingInput() {
        assertFails(ExitCode.NO_INPUT, () -> Manifest.read(storage, directory, Body.class))
                .isEqualTo("Cannot read " + directory + ": it has no _manifest.json; let the job that writes it"
                        + " finish");
    }

    @Test
    void aFolderOfOtherFilesIsNoOutput() throws Exception {
        storage.delete(claim.path("_plan.json"));
        storage.putString(claim.path("ball/1.jpg"), "a photo");
        assertFails(ExitCode.NO_INPUT, () -> Manifest.read(storage, directory, Body.class))
                .isEqualTo("Cannot read " + directory
                        + ": it has no _manifest.json, so it is not an output of rar-spark; give one");
    }
}
