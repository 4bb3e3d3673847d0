package io.github.rarspark.common.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WeightsCacheTest {
    private final WeightsCache cache = new WeightsCache(() -> 100, () -> Duration.ofSeconds(30));
    private final AtomicInteger loads = new AtomicInteger();
    private final List<String> closed = new ArrayList<>();

    private final class Weights implements AutoCloseable {
        private final String name;

        Weights(String name) {
            this.name = name;
            loads.incrementAndGet();
        }

        @Override
        public void close() {
            closed.add(name);
        }
    }

    @Test
    void tasksShareOneValue() {
        try (var a = lease("a", 10);
                var b = lease("a", 10)) {
            assertThat(a.value()).isSameAs(b.value());
        }
        try (var again = lease("a", 10)) {
            assertThat(again.value().name).isEqualTo("a");
        }
        assertThat(loads).hasValue(1);
        assertThat(closed).isEmpty();
    }

    @Test
    void kindsAndDevicesAreApart() {
        for (WeightsCache.Key key : List.of(
                new WeightsCache.Key("vqgan", "a", "cpu"),
                new WeightsCache.Key("rar", "a", "cpu"),
                new WeightsCache.Key("vqgan", "a", "cuda:0"))) {
            cache.lease(key, Weights.class, 1, () -> new Weights("a")).close();
        }
        assertThat(loads).hasValue(3);
    }

    @Test
    void typesAreApart() {
        lease("a", 10).close();
        WeightsCache.Key same = new WeightsCache.Key("vqgan", "a", "cpu");
        try (var other = cache.lease(same, AutoCloseable.class, 10, () -> () -> {})) {
            assertThat(other.value()).isNotInstanceOf(Weights.class);
        }
    }

    @Test
    void theLongestIdleGoesFirst() {
        lease("a", 40).close();
        lease("b", 40).close();
        lease("a", 40).close();
        lease("c", 40).close();
        assertThat(closed).containsExactly("b");
        assertThat(cache.size()).isEqualTo(2);
    }

    @Test
    void whatIsLeasedStays() {
        try (var a = lease("a", 80);
                var b = lease("b", 80)) {
            lease("c", 80).close();
            lease("d", 80).close();
            lease("e", 80).close();
            assertThat(closed).containsExactly("c");
        }
    }

    @Test
    void theLastUsedStaysHoweverLargeItIs() {
        for (int shard = 0; shard < 3; shard++) {
            lease("rar", 150).close();
        }
        assertThat(loads).hasValue(1);
        lease("other", 10).close();
        assertThat(closed).isEmpty();
        lease("third", 10).close();
        assertThat(closed).containsExactly("rar");
    }

    @Test
    void whatATaskUsesTogetherStays() {
        for (int shard = 0; shard < 3; shard++) {
            try (var rar = lease("rar", 150)) {
                lease("vqgan", 20).close();
            }
        }
        assertThat(loads).hasValue(2);
    }

    @Test
    void theLimitMayChange() {
        AtomicLong limit = new AtomicLong(100);
        WeightsCache adjusted = new WeightsCache(limit::get, () -> Duration.ofSeconds(30));
        for (String name : List.of("a", "b", "c")) {
            adjusted.lease(key(name), Weights.class, 30, () -> new Weights(name))
                    .close();
        }
        assertThat(closed).isEmpty();
        limit.set(60);
        adjusted.lease(key("d"), Weights.class, 30, () -> new Weights("d")).close();
        assertThat(closed).containsExactly("a", "b");
    }

    @Test
    void closingALeaseTwiceGivesBackOnce() {
        var first = lease("a", 80);
        var second = lease("a", 80);
        first.close();
        first.close();
        lease("b", 80).close();
        lease("c", 80).close();
        lease("d", 80).close();
        assertThat(closed).containsExactly("b");
        second.close();
        lease("b", 80).close();
        assertThat(closed).containsExactly("b", "c", "d");
        lease("c", 80).close();
        assertThat(closed).containsExactly("b", "c", "d", "a");
    }

    @Test
    void concurrentTasksWaitForOneLoad() throws Exception {
        int tasks = 8;
        CountDownLatch ready = new CountDownLatch(tasks);
        ExecutorService pool = Executors.newFixedThreadPool(tasks);
        try {
            List<Future<Weights>> seen = new ArrayList<>();
            for (int i = 0; i < tasks; i++) {
                seen.add(pool.submit(() -> {
                    ready.countDown();
                    try (var lease = cache.lease(key("a"), Weights.class, 10, () -> {
                        assertThat(ready.await(30, TimeUnit.SECONDS)).isTrue();
                        return new Weights("a");
                    })) {
                        return lease.value();
                    }
                }));
            }
            Weights first = seen.get(0).get(30, TimeUnit.SECONDS);
            for (Future<Weights> other : seen) {
                assertThat(other.get(30, TimeUnit.SECONDS)).isSameAs(first);
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(loads).hasValue(1);
    }

    @Test
    void aFailedLoadIsReportedAndTriedAgain() {
        assertThatThrownBy(() -> cache.lease(key("a"), Weights.class, 10, () -> {
                    throw new IOException("unreadable");
                }))
                .hasMessage("Cannot load vqgan weights")
                .hasRootCauseMessage("unreadable");
        assertThat(cache.size()).isZero();
        lease("a", 10).close();
        assertThat(loads).hasValue(1);
    }

    @Test
    void weightsThatCannotBeClosedFailTheLeaseThatNeedsTheirRoom() {
        cache.lease(key("stuck"), AutoCloseable.class, 60, () -> () -> {
                    throw new IOException("in use");
                })
                .close();
        lease("idle", 30).close();
        lease("last", 10).close();
        assertThatThrownBy(() -> lease("a", 90)).hasRootCauseMessage("in use");
        assertThat(closed).as("what else was in the way").containsExactly("idle");
        lease("a", 90).close();
        assertThat(cache.size()).isEqualTo(2);
    }

    @Test
    void noTaskWaitsForeverForAnothersLoad() throws Exception {
        WeightsCache impatient = new WeightsCache(() -> 100, () -> Duration.ofMillis(10));
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch waited = new CountDownLatch(1);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<?> first = pool.submit(() -> impatient
                    .lease(key("a"), Weights.class, 10, () -> {
                        loading.countDown();
                        assertThat(waited.await(30, TimeUnit.SECONDS)).isTrue();
                        return new Weights("a");
                    })
                    .close());
            assertThat(loading.await(30, TimeUnit.SECONDS)).isTrue();
            assertThatThrownBy(() -> impatient.lease(key("a"), Weights.class, 10, () -> new Weights("a")))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
                    .hasMessageStartingWith("Cannot load vqgan weights: another task has not read them");
            waited.countDown();
            first.get(30, TimeUnit.SECONDS);
        } finally {
            pool.shutdownNow();
        }
        for (String name : List.of("b", "c")) {
            impatient
                    .lease(key(name), Weights.class, 100, () -> new Weights(name))
                    .close();
        }
        assertThat(closed).as("nobody leases it any more").containsExactly("a");
    }

    private WeightsCache.Lease<Weights> lease(String name, long bytes) {
        return cache.lease(key(name), Weights.class, bytes, () -> new Weights(name));
    }

    private static WeightsCache.Key key(String name) {
        return new WeightsCache.Key("vqgan", name, "cpu");
    }
}
