package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.dist.RendezvousStore;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.train.coordinator.Coordinator;
import io.github.rarspark.train.coordinator.CoordinatorClient;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RankWatchTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Report.Heartbeat FIRST = new Report.Heartbeat(1, "e1", "host", 0, false);

    private final BlockingQueue<Report> reports = new LinkedBlockingQueue<>();
    private final AtomicBoolean killed = new AtomicBoolean();
    private Coordinator coordinator;
    private RankWatch watch;

    @BeforeEach
    void start() throws IOException {
        coordinator = new Coordinator("127.0.0.1", "127.0.0.1", reports::add);
        watch = new RankWatch(new CoordinatorClient(coordinator.address(), LIMIT), 1, "e1", "host", killed::get);
    }

    @AfterEach
    void stop() throws IOException {
        watch.close();
        coordinator.close();
    }

    /** A group of one rank that the watch guards. */
    private final class Guarded implements AutoCloseable {
        private final RendezvousStore store = RendezvousStore.serve("127.0.0.1", LIMIT);
        private final ProcessGroup group = ProcessGroup.join(store, 0, 1, "127.0.0.1", LIMIT, Device.cpu());

        Guarded() {
            watch.guard(group);
        }

        @Override
        public void close() {
            group.close();
            store.close();
        }
    }

    @Test
    void heartbeatsTellTheLastUpdate() throws Exception {
        assertThat(reports.poll(30, TimeUnit.SECONDS)).isEqualTo(FIRST);
        watch.made(7);
        Report.Heartbeat later = new Report.Heartbeat(1, "e1", "host", 7, false);
        Awaitility.await().atMost(LIMIT).until(() -> later.equals(reports.poll(30, TimeUnit.SECONDS)));
        watch.close();
        assertThat(reports).last().isEqualTo(new Report.Heartbeat(1, "e1", "host", 7, true));
    }

    @Test
    void aRankWhoseTaskIsKilledIsCutOff() {
        try (Guarded rank = new Guarded()) {
            rank.group.barrier();
            killed.set(true);
            awaitCutOff(rank.group);
        }
    }

    @Test
    void aRankWhoseStageHasEndedIsCutOffEvenIfItJoinsLater() throws Exception {
        try (Guarded joined = new Guarded()) {
            coordinator.close();
            awaitCutOff(joined.group);
        }
        try (Guarded late = new Guarded()) {
            assertThatThrownBy(late.group::barrier).isInstanceOf(CommunicationException.class);
        }
    }

    private static void awaitCutOff(ProcessGroup group) {
        Awaitility.await().atMost(LIMIT).untilAsserted(() -> assertThatThrownBy(group::barrier)
                .isInstanceOf(CommunicationException.class)
                .hasMessage("the process group was aborted"));
    }
}
