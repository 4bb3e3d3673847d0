package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.StandaloneCluster;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who listens during a training, and where: the table of docs/security.md. */
@Tag("clusters")
@Timeout(600)
class PortsTest {
    /** The state of a listening socket in /proc/net/tcp. */
    private static final String LISTEN = "0A";

    /** 127.0.0.1, alone and as an IPv6 address. */
    private static final Pattern LOOPBACK = Pattern.compile("(0000000000000000FFFF0000)?0100007F");

    private static final Duration LIMIT = Duration.ofSeconds(240);

    @TempDir
    private Path folder;

    @Test
    void aTrainingListensOnTheAddressesOfSparkOnly() throws Exception {
        FourJobs jobs = FourJobs.write(folder, folder.resolve("out").toUri().toString());
        Map<String, String> others = listening(ProcessHandle.current());
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (StandaloneCluster cluster = StandaloneCluster.start(folder.resolve("cluster"), 2);
                SparkSession session = cluster.session(Map.of())) {
            Map<String, String> before = listening(ProcessHandle.current());
            Map<String, String> ofSpark = new TreeMap<>(before);
            ofSpark.keySet().removeAll(others.keySet());
            Future<?> run = pool.submit(() -> {
                jobs.run(session, Map.of("train.steps", "600", "train.checkpoint_every", "50"));
                return null;
            });
            Storage storage = new Storage(new Configuration());
            Awaitility.await().atMost(LIMIT).until(() -> {
                if (run.isDone()) {
                    run.get();
                }
                return storage.exists(Storage.child(jobs.output("train"), "checkpoints/LAST"));
            });

            Map<String, String> ofDriver = listening(ProcessHandle.current());
            ofDriver.keySet().removeAll(before.keySet());
            List<Map<String, String>> ofExecutors = new ArrayList<>();
            for (ProcessHandle executor : cluster.executors()) {
                ofExecutors.add(listening(executor));
            }
            assertThat(run).as("still training").isNotDone();
            assertThat(ofSpark).as("Spark's RPC and block manager").hasSize(2);
            assertThat(ofDriver).as("the coordinator").hasSize(1);
            assertThat(ofExecutors)
                    .extracting(Map::size)
                    .as("the block manager and Gloo, and in one of them the rendezvous store")
                    .containsExactlyInAnyOrder(2, 3);
            assertThat(Stream.concat(Stream.of(ofSpark, ofDriver), ofExecutors.stream()))
                    .allSatisfy(addresses -> assertThat(addresses.values()).allMatch(LOOPBACK.asMatchPredicate()));
            run.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } finally {
            pool.shutdownNow();
        }
    }

    /** The addresses, in hexadecimal, on which a process listens, by port. */
    private static Map<String, String> listening(ProcessHandle process) throws IOException {
        List<String> sockets = new ArrayList<>();
        try (DirectoryStream<Path> descriptors =
                Files.newDirectoryStream(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
            for (Path descriptor : descriptors) {
                try {
                    sockets.add(Files.readSymbolicLink(descriptor).toString());
                } catch (IOException e) {
                    continue; // It was closed meanwhile.
                }
            }
        }
        Map<String, String> addresses = new TreeMap<>();
        for (String table : List.of("tcp", "tcp6")) {
            Path file = Path.of("/proc/net", table);
            for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
                String[] columns = line.trim().split("\\s+");
                if (columns[3].equals(LISTEN) && sockets.contains("socket:[" + columns[9] + "]")) {
                    String[] local = columns[1].split(":");
                    addresses.put(local[1], local[0]);
                }
            }
        }
        return addresses;
    }
}
