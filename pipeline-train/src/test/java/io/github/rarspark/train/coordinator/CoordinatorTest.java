package io.github.rarspark.train.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Stored;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CoordinatorTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private final List<Report> handled = new CopyOnWriteArrayList<>();

    @Test
    void reportsArriveWholeAndAreHandledBeforeTheAnswer() throws IOException {
        Report progress = new Report.Progress(3, 1.25, 1e-4, 0.5, 100);
        Report checkpoint = new Report.Checkpoint(3, "step-3", List.of(new Stored("file:/x", 7, "ab")));
        try (Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", handled::add);
                CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
            client.send(progress);
            assertThat(handled).containsExactly(progress);
            client.send(checkpoint);
            assertThat(handled).containsExactly(progress, checkpoint);
            assertThat(coordinator.failure()).isEmpty();
        }
    }

    @Test
    void aFailureToHandleReachesTheRankAndTheDriver() throws IOException {
        JobException lost = new JobException(ExitCode.TEMPORARY, "Attempt 1 stops writing\nto here");
        try (Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", report -> {
                    throw lost;
                });
                CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
            assertThatThrownBy(() -> client.send(new Report.Progress(1, 1, 1, 1, 1)))
                    .isInstanceOf(JobException.class)
                    .hasMessage("The driver refused a report: Attempt 1 stops writing");
            assertThat(coordinator.failure()).contains(lost);
        }
    }

    @Test
    void whoDoesNotKnowTheSecretIsNotHeard() throws IOException {
        try (Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", handled::add)) {
            CoordinatorAddress address = coordinator.address();
            assertThat(address.secret()).hasSize(32);
            assertThat(address.toString()).doesNotContain(address.secret());
            CoordinatorAddress guess = new CoordinatorAddress(address.host(), address.port(), "0".repeat(32));
            assertThatThrownBy(() -> new CoordinatorClient(guess, LIMIT))
                    .isInstanceOf(JobException.class)
                    .hasMessageContaining("it closed the connection");
            assertThat(handled).isEmpty();
        }
    }

    @Test
    void aClosedCoordinatorRefusesAtOnce() throws IOException {
        Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", handled::add);
        CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT);
        coordinator.close();
        assertThatThrownBy(() -> client.send(new Report.Progress(1, 1, 1, 1, 1)))
                .isInstanceOfAny(JobException.class, IOException.class);
        client.close();
        assertThatThrownBy(() -> new CoordinatorClient(coordinator.address(), LIMIT))
                .isInstanceOf(ConnectException.class);
    }
}
