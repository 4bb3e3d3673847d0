package io.github.rarspark.common.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RenamePublisherTest {
    @TempDir
    private Path temp;

    @Test
    void temporaryFilesThatCannotBeDeletedHarmNothing() throws Exception {
        Configuration configuration = new Configuration();
        RawLocalFileSystem fs = new Undeletable();
        fs.initialize(URI.create("file:///"), configuration);
        Publisher publisher = new RenamePublisher(fs, configuration);
        org.apache.hadoop.fs.Path target =
                new org.apache.hadoop.fs.Path(temp.resolve("a").toUri());
        IOException failure = new IOException("no content");

        assertThat(publisher.publish(target, content("first"), there -> true)).isPresent();
        assertThat(publisher.publish(target, content("second"), there -> true)).isEmpty();
        assertThatThrownBy(() -> publisher.publish(
                        target,
                        out -> {
                            throw failure;
                        },
                        there -> true))
                .isSameAs(failure);

        Storage storage = new Storage(configuration);
        assertThat(storage.readString(target.toString())).isEqualTo("first");
        assertThat(storage.list(temp.toString())).containsExactly("a");
        assertThat(storage.walk(temp.toString())).hasSize(1);
        assertThat(storage.temporaries(temp.toString()))
                .as("what the next attempt removes")
                .hasSize(2);
    }

    private static ContentWriter content(String text) {
        return out -> out.write(text.getBytes(UTF_8));
    }

    private static final class Undeletable extends RawLocalFileSystem {
        @Override
        public boolean delete(org.apache.hadoop.fs.Path path, boolean recursive) {
            return false;
        }
    }
}
