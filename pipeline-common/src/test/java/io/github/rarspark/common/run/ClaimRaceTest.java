package io.github.rarspark.common.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Hdfs;
import io.github.rarspark.common.testing.S3Server;
import io.github.rarspark.conf.ClaimSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several drivers that claim the same output at the same moment. */
class ClaimRaceTest {
    private static final int DRIVERS = 6;
    private static final Plan PLAN = Plan.of("generate", "r1", Map.of("weights", "w1"), Map.of("shards", "4"));

    @TempDir
    Path temp;

    @Test
    void oneDriverGetsEachAttemptOnLocalFiles() throws Exception {
        race(new Storage(new Configuration()), temp.toUri().toString(), 10);
    }

    @Test
    void oneDriverGetsEachAttemptOnHdfs() throws Exception {
        try (Hdfs hdfs = Hdfs.start(temp)) {
            race(new Storage(hdfs.configuration()), hdfs.uri("race"), 10);
        }
    }

    @Test
    void oneDriverGetsEachAttemptOnAnObjectStore() throws Exception {
        try (S3Server server = S3Server.start().withBucket()) {
            race(new Storage(server.configuration()), S3Server.uri("race"), 1);
        }
    }

    private static void race(Storage storage, String root, int rounds) throws Exception {
        for (int round = 0; round < rounds; round++) {
            String directory = Storage.child(root, "out-" + UUID.randomUUID());
            for (int attempt = 1; attempt <= 3; attempt++) {
                List<OutputClaim> claims = claimTogether(storage, directory);
                assertThat(claims).as("attempt %d of round %d", attempt, round).hasSize(1);
                OutputClaim claim = claims.get(0);
                assertThat(claim.attempt()).isEqualTo(attempt);
                claim.check();
                claim.close();
            }
        }
    }

    /** The claims of those that succeeded; the others were told to run again. */
    private static List<OutputClaim> claimTogether(Storage storage, String directory) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(DRIVERS);
        try {
            CyclicBarrier start = new CyclicBarrier(DRIVERS);
            List<Future<Optional<OutputClaim>>> drivers = new ArrayList<>();
            for (int i = 0; i < DRIVERS; i++) {
                RunOutput output = new RunOutput(storage, directory, new ClaimSettings(60, 0), line -> {});
                drivers.add(pool.submit(() -> {
                    start.await(30, TimeUnit.SECONDS);
                    return output.claim(PLAN);
                }));
            }
            List<OutputClaim> claims = new ArrayList<>();
            for (Future<Optional<OutputClaim>> driver : drivers) {
                try {
                    claims.add(driver.get(60, TimeUnit.SECONDS).orElseThrow());
                } catch (ExecutionException e) {
                    assertThat(Failures.exitCode(e.getCause())).isEqualTo(ExitCode.TEMPORARY);
                }
            }
            return claims;
        } finally {
            pool.shutdownNow();
        }
    }
}
