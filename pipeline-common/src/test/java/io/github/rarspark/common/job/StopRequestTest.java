package io.github.rarspark.common.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StopRequestTest {
    private final StopRequest stop = new StopRequest();
    private final ExecutorService pool = Executors.newSingleThreadExecutor();

    @AfterEach
    void close() {
        pool.shutdownNow();
    }

    @Test
    void aJobThatDoesNotAcceptItIsNotWaitedFor() throws InterruptedException {
        stop.accept(Duration.ofSeconds(50)).close();
        assertThat(stop.isRequested()).isFalse();
        long begin = System.nanoTime();
        stop.make();
        assertThat(stop.isRequested()).isTrue();
        assertThat(System.nanoTime() - begin).isLessThan(Duration.ofSeconds(30).toNanos());
    }

    @Test
    void whoeverMakesItWaitsForTheJob() throws Exception {
        Future<?> request;
        try (StopRequest.Acceptance accepted = stop.accept(Duration.ofSeconds(50))) {
            request = pool.submit(() -> {
                stop.make();
                return null;
            });
            assertThatThrownBy(() -> request.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            Awaitility.await().until(stop::isRequested);
            assertThat(request).isNotDone();
        }
        request.get(30, TimeUnit.SECONDS);
    }

    @Test
    void theWaitHasALimit() throws InterruptedException {
        try (StopRequest.Acceptance accepted = stop.accept(Duration.ofMillis(200))) {
            long begin = System.nanoTime();
            stop.make();
            assertThat(System.nanoTime() - begin)
                    .isGreaterThanOrEqualTo(Duration.ofMillis(200).toNanos());
        }
    }
}
