package io.github.rarspark.train.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.train.ProgressReports;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CoordinatorTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Report REPORT = ProgressReports.of(1, 1);
    private final List<Report> handled = new CopyOnWriteArrayList<>();

    @Test
    void reportsArriveWholeAndAreHandledBeforeTheAnswer() throws IOException {
        Report progress = ProgressReports.of(3, 1.25);
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
            assertThatThrownBy(() -> client.send(ProgressReports.of(1, 1)))
                    .isInstanceOf(JobException.class)
                    .hasMessage("The driver refused a report: Attempt 1 stops writing");
            assertThat(coordinator.failure()).contains(lost);
        }
    }

    /** Hadoop reports a full local disk by an Error of its own. */
    @Test
    void anErrorReachesTheRankAndTheDriver() throws IOException {
        Error full = new Error("No space left on device");
        try (Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", report -> {
                    throw full;
                });
                CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
            assertThatThrownBy(() -> client.send(ProgressReports.of(1, 1)))
                    .isInstanceOf(JobException.class)
                    .hasMessageContaining("No space left on device");
            assertThat(coordinator.failure()).contains(full);
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
        try (CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
            coordinator.close();
            assertClosed(catchThrowable(() -> client.send(REPORT)));
        }
        assertThatThrownBy(() -> new CoordinatorClient(coordinator.address(), LIMIT))
                .isInstanceOf(JobException.class)
                .hasCauseInstanceOf(ConnectException.class);
        assertThat(handled).isEmpty();
    }

    @Test
    void whoConnectsDuringTheCloseIsTurnedAway() throws Exception {
        Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", handled::add);
        List<CoordinatorClient> accepted = new CopyOnWriteArrayList<>();
        FutureTask<Throwable> refusal = new FutureTask<>(() -> catchThrowable(() -> {
            while (true) {
                accepted.add(new CoordinatorClient(coordinator.address(), LIMIT));
            }
        }));
        new Thread(refusal, "connecting").start();
        Awaitility.await().atMost(LIMIT).pollDelay(Duration.ZERO).until(() -> !accepted.isEmpty());
        coordinator.close();
        assertClosed(refusal.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        for (CoordinatorClient client : accepted) {
            try (client) {
                assertClosed(catchThrowable(() -> client.send(REPORT)));
            }
        }
        assertThat(handled).isEmpty();
    }

    @Test
    void closeWaitsForTheReportBeingHandled() throws Exception {
        CountDownLatch handling = new CountDownLatch(1);
        CountDownLatch proceed = new CountDownLatch(1);
        Coordinator coordinator = new Coordinator("127.0.0.1", "127.0.0.1", report -> {
            handling.countDown();
            assertThat(catchThrowable(() -> proceed.await(10, TimeUnit.SECONDS)))
                    .isNull();
            handled.add(report);
        });
        FutureTask<Throwable> sending = new FutureTask<>(() -> catchThrowable(() -> {
            try (CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
                client.send(REPORT);
            }
        }));
        new Thread(sending, "sending").start();
        assertThat(handling.await(10, TimeUnit.SECONDS)).isTrue();
        FutureTask<List<Report>> handledBeforeClosed = new FutureTask<>(() -> {
            coordinator.close();
            return List.copyOf(handled);
        });
        new Thread(handledBeforeClosed, "closing").start();
        assertClosed(sending.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        proceed.countDown();
        assertThat(handledBeforeClosed.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).containsExactly(REPORT);
    }

    @Test
    void aCloseThatFailsEndsTheThreadsAllTheSame() throws Exception {
        IOException ofServer = new IOException("the server");
        IOException ofSocket = new IOException("a socket");
        Coordinator coordinator = new Coordinator("127.0.0.1", new FailingServer(0, ofServer, ofSocket), handled::add);
        try (CoordinatorClient first = new CoordinatorClient(coordinator.address(), LIMIT);
                CoordinatorClient second = new CoordinatorClient(coordinator.address(), LIMIT)) {
            assertThatThrownBy(coordinator::close).isSameAs(ofServer).hasSuppressedException(ofSocket);
            assertClosed(catchThrowable(() -> first.send(REPORT)));
            assertClosed(catchThrowable(() -> second.send(REPORT)));
        }
        String name = "coordinator-" + coordinator.address().port();
        Awaitility.await().atMost(LIMIT).until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals(name)));
    }

    @Test
    void anErrorThatLastsIsTriedAgainAfterPauses() throws Exception {
        FailingServer server = new FailingServer(5, null, null);
        try (Coordinator coordinator = new Coordinator("127.0.0.1", server, handled::add);
                CoordinatorClient client = new CoordinatorClient(coordinator.address(), LIMIT)) {
            client.send(REPORT);
        }
        assertThat(handled).containsExactly(REPORT);
        Duration pauses = Duration.ofNanos(server.accepts.get(5) - server.accepts.get(0));
        assertThat(pauses).isBetween(Duration.ofMillis(10 + 20 + 40 + 80 + 160), LIMIT);
    }

    /** Fails to accept so many times, and then to close itself and what it accepted. */
    private static final class FailingServer extends ServerSocket {
        private final List<Long> accepts = new CopyOnWriteArrayList<>();
        private final int failures;
        private final IOException ofClose;
        private final IOException ofSocketsClose;

        FailingServer(int failures, IOException ofClose, IOException ofSocketsClose) throws IOException {
            super(0, 50, InetAddress.getLoopbackAddress());
            this.failures = failures;
            this.ofClose = ofClose;
            this.ofSocketsClose = ofSocketsClose;
        }

        @Override
        public Socket accept() throws IOException {
            accepts.add(System.nanoTime());
            if (accepts.size() <= failures) {
                throw new SocketException("Too many open files");
            }
            Socket socket = new Socket() {
                @Override
                public void close() throws IOException {
                    super.close();
                    throwIfGiven(ofSocketsClose);
                }
            };
            implAccept(socket);
            return socket;
        }

        @Override
        public void close() throws IOException {
            super.close();
            throwIfGiven(ofClose);
        }

        private static void throwIfGiven(IOException failure) throws IOException {
            if (failure != null) {
                throw failure;
            }
        }
    }

    /** The client finds the connection closed, by an end of the stream or by a reset, or the port without a listener. */
    private static void assertClosed(Throwable failure) {
        assertThat(failure).satisfiesAnyOf(f -> assertThat(f).isInstanceOf(SocketException.class), f -> assertThat(f)
                .isInstanceOf(JobException.class)
                .message()
                .satisfiesAnyOf(
                        m -> assertThat(m).isEqualTo("The driver refused a report: it closed the connection"),
                        m -> assertThat(m).startsWith("Cannot reach the driver at 127.0.0.1:")));
    }
}
