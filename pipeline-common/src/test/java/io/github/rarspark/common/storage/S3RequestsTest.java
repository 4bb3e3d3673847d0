package io.github.rarspark.common.storage;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.S3Interceptor;
import io.github.rarspark.common.testing.S3Interceptor.Fault;
import io.github.rarspark.common.testing.S3Request;
import io.github.rarspark.common.testing.S3Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** What a storage asks of an S3 server, and what comes of answers that do not arrive. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class S3RequestsTest {
    /** More than two parts of an upload. */
    private static final int LARGE_BYTES = 12 << 20;

    private S3Server server;
    private S3Interceptor wire;
    private Storage storage;

    @BeforeAll
    void start() throws Exception {
        server = S3Server.start().withBucket();
        wire = S3Interceptor.start(server.port());
        storage = new Storage(S3Server.configuration(wire.port(), server.key(), server.secret()));
    }

    @AfterAll
    void stop() throws Exception {
        wire.close();
        server.close();
    }

    @BeforeEach
    void forget() {
        wire.failWhere(request -> Optional.empty());
        wire.forget();
    }

    @Test
    void listingsHaveSeveralPages() throws Exception {
        List<String> names =
                IntStream.range(0, 1100).mapToObj("%04d"::formatted).toList();
        names.parallelStream().forEach(this::putInManyFolder);
        wire.forget();
        assertThat(storage.list(S3Server.uri("many"))).isEqualTo(names);
        assertThat(storage.walk(S3Server.uri("many")))
                .extracting(StoredFile::name)
                .isEqualTo(names);
        assertThat(wire.requests())
                .filteredOn(request -> request.operation().equals("ListObjects"))
                .extracting(S3Request::target)
                .filteredOn(target -> target.contains("continuation-token="))
                .hasSize(2);
        storage.delete(S3Server.uri("many"));
        assertThat(storage.exists(S3Server.uri("many"))).isFalse();
    }

    private void putInManyFolder(String name) {
        try {
            storage.putString(S3Server.uri("many/" + name), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The writer of an upload that is stuck. */
    static final class Uploader {
        private Uploader() {}

        public static void main(String[] args) throws Exception {
            Storage storage = new Storage(S3Server.configuration(Integer.parseInt(args[0]), args[1], args[2]));
            storage.put(S3Server.uri("killed/large"), out -> out.write(new byte[LARGE_BYTES]));
        }
    }

    @Test
    @Tag("fault")
    void anUploadWhoseWriterIsKilledBetweenPartsIsInvisible() throws Exception {
        wire.failOnce(Fault.STALL, request -> request.target().contains("partNumber=2"));
        Process writer = Jvm.of(
                        List.of("-Xmx256m"),
                        Uploader.class.getName(),
                        Integer.toString(wire.port()),
                        server.key(),
                        server.secret())
                .inheritIO()
                .start();
        try {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> !writer.isAlive() || !wire.with(Fault.STALL).isEmpty());
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> wire.requests().stream()
                    .anyMatch(request -> request.target().contains("partNumber=1")));
            assertThat(writer.isAlive()).isTrue();
        } finally {
            writer.destroyForcibly();
        }
        assertThat(writer.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(storage.exists(S3Server.uri("killed/large"))).isFalse();
        assertThat(storage.walk(S3Server.uri("killed"))).isEmpty();

        byte[] content = {1, 2, 3};
        storage.putBytes(S3Server.uri("killed/large"), content);
        assertThat(storage.readBytes(S3Server.uri("killed/large"))).isEqualTo(content);
    }

    @Test
    void partsThatAreRefusedAreSentAgain() throws Exception {
        for (Fault fault : List.of(Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET_BEFORE, Fault.RESET_AFTER)) {
            String path = S3Server.uri("parts/" + fault);
            wire.failOnce(fault, request -> request.target().contains("partNumber=2"));
            byte[] content = new byte[LARGE_BYTES];
            content[LARGE_BYTES - 1] = 1;
            Stored stored = storage.putBytes(path, content);
            assertThat(wire.with(fault)).hasSize(1);
            assertThat(storage.sha256(path)).isEqualTo(stored.sha256());
        }
        assertThat(wire.requests())
                .extracting(S3Request::operation)
                .contains("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
                .doesNotContain("UploadPartCopy", "CopyObject", "AbortMultipartUpload");
    }

    /** The object is there, but the writer cannot know. */
    @Test
    void anAnswerToTheLastRequestThatIsLostIsTemporary() throws Exception {
        String path = S3Server.uri("answer/lost");
        AtomicInteger asked = new AtomicInteger();
        wire.failWhere(request -> request.operation().equals("CompleteMultipartUpload")
                ? Optional.of(asked.getAndIncrement() == 0 ? Fault.RESET_AFTER : Fault.UNKNOWN)
                : Optional.empty());
        assertFails(ExitCode.TEMPORARY, () -> storage.putBytes(path, new byte[LARGE_BYTES]))
                .isEqualTo("Cannot tell whether " + path
                        + " was written: the server does not know the upload any more; run again");
        assertThat(storage.length(path)).isEqualTo(LARGE_BYTES);
    }

    @Test
    void anAbortedUploadIsTakenBack() throws Exception {
        assertThat(catchWriting(S3Server.uri("aborted/a"))).hasMessage("half way");
        assertThat(wire.requests()).extracting(S3Request::operation).contains("AbortMultipartUpload");
        assertThat(storage.exists(S3Server.uri("aborted/a"))).isFalse();
    }

    private Throwable catchWriting(String path) {
        return catchThrowable(() -> storage.put(path, out -> {
            out.write(new byte[LARGE_BYTES]);
            throw new IOException("half way");
        }));
    }
}
