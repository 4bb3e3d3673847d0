package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ProcessGroupTest {
    private static final Duration PATIENT = Duration.ofSeconds(60);
    private static final Duration IMPATIENT = Duration.ofSeconds(10);

    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    @Test
    void twoProcessesSumAndBroadcast() throws Exception {
        try (RankProcess first = RankProcess.start("sum", 0, 2, 0, PATIENT);
                RankProcess second = RankProcess.start("sum", 1, 2, port(first), PATIENT)) {
            for (RankProcess rank : new RankProcess[] {first, second}) {
                assertThat(rank.await("sum ")).isEqualTo("[3.0, 6.0, 9.0]");
                assertThat(rank.await("broadcast ")).isEqualTo("[1.0]");
                assertThat(rank.await("live ")).isEqualTo("0");
                assertThat(rank.exitCode()).isZero();
            }
        }
    }

    @Test
    void theGradientOfTwoRanksIsThatOfTheJoinedBatch() throws Exception {
        try (RankProcess first = RankProcess.start("gradient", 0, 2, 0, PATIENT);
                RankProcess second = RankProcess.start("gradient", 1, 2, port(first), PATIENT);
                NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            Map<String, NDArray> weights = RankMain.weights(manager);
            TensorScope.requireGradients(weights.values());
            s.backward(RankMain.loss(s, weights, 0, 8));
            for (String name : RankMain.names()) {
                float[] joined = s.gradient(weights.get(name)).toFloatArray();
                assertThat(joined).as("a gradient that is not zero").isNotEqualTo(new float[joined.length]);
                for (RankProcess rank : new RankProcess[] {first, second}) {
                    assertThat(floats(rank.await("gradient " + name + " "))).containsExactly(joined, within(1e-6f));
                }
            }
        }
    }

    /** Else a training that was resumed would have other bits than one that was not. */
    @Test
    void theFirstPassOfThreeRanksHasTheBitsOfLaterOnes() throws Exception {
        try (RankProcess first = RankProcess.start("passes", 0, 3, 0, PATIENT)) {
            int port = port(first);
            try (RankProcess second = RankProcess.start("passes", 1, 3, port, PATIENT);
                    RankProcess third = RankProcess.start("passes", 2, 3, port, PATIENT)) {
                for (RankProcess rank : List.of(first, second, third)) {
                    String pass = rank.await("pass 0 ");
                    assertThat(rank.await("pass 1 ")).isEqualTo(pass);
                    assertThat(rank.await("pass 2 ")).isEqualTo(pass);
                }
            }
        }
    }

    @Test
    @Tag("fault")
    void aKilledPeerIsAnExceptionAtOnce() throws Exception {
        try (RankProcess first = RankProcess.start("wait", 0, 2, 0, PATIENT);
                RankProcess second = RankProcess.start("wait", 1, 2, port(first), PATIENT)) {
            first.await("joined");
            second.await("joined");
            second.signal("KILL");
            assertThat(second.exitCode()).isEqualTo(128 + 9);
            long start = System.nanoTime();
            assertThat(first.await("failed ")).contains("Connection");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(PATIENT);
            assertThat(first.await("live ")).isEqualTo("0");
        }
    }

    @Test
    @Tag("fault")
    void aStoppedPeerIsAnExceptionAfterTheTimeout() throws Exception {
        try (RankProcess second = RankProcess.start("wait", 1, 2, 0, IMPATIENT)) {
            // Joining is subject to the timeout as well, so the other rank is there before the first begins to wait.
            second.await("ready");
            try (RankProcess first = RankProcess.start("wait", 0, 2, 0, IMPATIENT)) {
                second.meet(port(first));
                first.await("joined");
                second.await("joined");
                second.signal("STOP");
                assertThat(first.await("failed ")).containsIgnoringCase("timed out");
            }
        }
    }

    @Test
    void aMissingPeerIsAnExceptionAfterTheTimeout() {
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", Duration.ofMillis(300))) {
            assertThatThrownBy(() -> ProcessGroup.join(store, 0, 2, "127.0.0.1", Duration.ofMillis(300), Device.cpu()))
                    .isInstanceOf(CommunicationException.class)
                    .hasMessageNotContaining("\n");
        }
        assertThatThrownBy(() -> RendezvousStore.connect("127.0.0.1", 1, Duration.ofMillis(300)))
                .isInstanceOf(CommunicationException.class);
    }

    /** Whether a rank sees another that leaves at once is a matter of microseconds: in about one of twenty tries. */
    @Test
    @Tag("fault")
    void aPeerThatLeavesWhileOthersJoinIsLost() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            for (int i = 0; i < 100; i++) {
                try (RendezvousStore served = RendezvousStore.serve("127.0.0.1", PATIENT);
                        RendezvousStore connected = RendezvousStore.connect("127.0.0.1", served.port(), PATIENT)) {
                    Future<Optional<Throwable>> other = pool.submit(() -> joinAndLeave(connected, 1));
                    List<Optional<Throwable>> failures =
                            List.of(joinAndLeave(served, 0), other.get(60, TimeUnit.SECONDS));
                    assertThat(failures.stream().flatMap(Optional::stream))
                            .allSatisfy(failure -> assertThat(failure).isInstanceOf(CommunicationException.class));
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static Optional<Throwable> joinAndLeave(RendezvousStore store, int rank) {
        try (ProcessGroup group = ProcessGroup.join(store, rank, 2, "127.0.0.1", PATIENT, Device.cpu())) {
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(e);
        }
    }

    @Test
    void whatIsClosedSaysSo() {
        RendezvousStore store = RendezvousStore.serve("127.0.0.1", PATIENT);
        ProcessGroup group = ProcessGroup.join(store, 0, 1, "127.0.0.1", PATIENT, Device.cpu());
        assertThat(Handles.live()).isEqualTo(2);
        group.close();
        group.close();
        store.close();
        assertThatThrownBy(group::barrier)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The process group is closed");
        assertThatThrownBy(store::port).hasMessage("The rendezvous store is closed");
        assertThatThrownBy(() -> RendezvousStore.serve("no.such.host.invalid", PATIENT))
                .isInstanceOf(NativeException.class)
                .hasMessageStartingWith("cannot resolve no.such.host.invalid");
    }

    @Test
    void closingDuringACollectiveLeavesItUntouched() throws Exception {
        try (NDManager manager = NDManager.newBaseManager();
                RankPair ranks = new RankPair(Device.cpu(), Device.cpu(), PATIENT)) {
            ProcessGroup receiver = ranks.second();
            List<NDArray> sent = tensors(manager, 1);
            List<NDArray> received = tensors(manager, 0);
            CountDownLatch begun = new CountDownLatch(1);
            Future<?> receiving = ranks.pool().submit(() -> {
                begun.countDown();
                receiver.broadcast(received, 0);
            });
            begun.await();
            Awaitility.await().atMost(PATIENT).until(receiver::isInUse);
            Future<?> closing = ranks.pool().submit(receiver::close);
            Awaitility.await().atMost(PATIENT).until(receiver::isClosed);
            assertThatThrownBy(receiver::barrier).hasMessage("The process group is closed");
            ranks.first().broadcast(sent, 0);
            receiving.get(60, TimeUnit.SECONDS);
            closing.get(60, TimeUnit.SECONDS);
            assertThat(received)
                    .allSatisfy(value -> assertThat(value.getFloat()).isEqualTo(1));
        }
    }

    @Test
    @Tag("fault")
    void anAbortEndsAWaitForARankThatDoesNothing() throws Exception {
        try (NDManager manager = NDManager.newBaseManager();
                RankPair ranks = new RankPair(Device.cpu(), Device.cpu(), PATIENT)) {
            ProcessGroup waiting = ranks.second();
            Map<String, NDArray> weights = RankMain.weights(manager);
            TensorScope.requireGradients(weights.values());
            try (GradientReducer reducer = new GradientReducer(waiting, weights.values(), 64)) {
                Future<?> averaging = ranks.pool().submit(() -> {
                    try (TensorScope s = TensorScope.training(manager)) {
                        NDArray loss = RankMain.loss(s, weights, 0, 4);
                        reducer.average(() -> s.backward(loss));
                    }
                });
                Awaitility.await().atMost(PATIENT).until(reducer::isInUse);
                assertThatThrownBy(() -> averaging.get(2, TimeUnit.SECONDS))
                        .as("it waits for the other rank")
                        .isInstanceOf(TimeoutException.class);
                long start = System.nanoTime();
                waiting.abort();
                assertThatThrownBy(() -> averaging.get(30, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(CommunicationException.class)
                        .hasMessage("the process group was aborted");
                assertThatThrownBy(waiting::barrier)
                        .isInstanceOf(CommunicationException.class)
                        .hasMessage("the process group was aborted");
                waiting.close();
                waiting.abort();
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(PATIENT.dividedBy(2));
            }
        }
    }

    private static List<NDArray> tensors(NDManager manager, float value) {
        try (TensorScope s = TensorScope.inference(manager)) {
            return IntStream.range(0, 50)
                    .mapToObj(i -> s.keep(s.floats(new float[] {value})))
                    .toList();
        }
    }

    @Test
    void nullForAHostIsAnException() {
        assertThatThrownBy(() -> RendezvousStore.serve(null, PATIENT)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> RendezvousStore.connect(null, 1, PATIENT)).isInstanceOf(NullPointerException.class);
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", PATIENT)) {
            assertThatThrownBy(() -> ProcessGroup.join(store, 0, 1, null, PATIENT, Device.cpu()))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("a native method was given null for a string");
        }
    }

    @Test
    void aReducersMemoryStaysFlat() throws Exception {
        try (RankProcess rank = RankProcess.start("steps", 0, 1, 0, PATIENT)) {
            long growth = Long.parseLong(rank.await("growth "));
            assertThat(growth).as("bytes, for 600 steps of 1000 parameters").isLessThan(4L << 20);
            assertThat(rank.exitCode()).isZero();
        }
    }

    private static int port(RankProcess first) throws InterruptedException {
        return Integer.parseInt(first.await("port "));
    }

    private static float[] floats(String list) {
        String[] parts = list.substring(1, list.length() - 1).split(", ");
        float[] values = new float[parts.length];
        for (int i = 0; i < parts.length; i++) {
            values[i] = Float.parseFloat(parts[i]);
        }
        assertThat(Arrays.toString(values)).isNotEmpty();
        return values;
    }
}
