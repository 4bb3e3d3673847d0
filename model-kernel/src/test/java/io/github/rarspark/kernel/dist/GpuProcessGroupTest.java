package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Collectives of tensors on two GPUs. */
@Tag("gpu")
@Timeout(180)
class GpuProcessGroupTest {
    private static final Duration PATIENT = Duration.ofSeconds(60);
    private static final Duration IMPATIENT = Duration.ofSeconds(3);

    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    private static RankPair onGpus(Duration timeout) throws Exception {
        return new RankPair(Device.gpu(0), Device.gpu(1), timeout);
    }

    @Test
    void theRanksSayWhyTheyDoWithoutNccl() throws Exception {
        try (RankPair ranks = onGpus(PATIENT)) {
            for (ProcessGroup group : List.of(ranks.first(), ranks.second())) {
                assertThat(group.backend()).isEqualTo("gloo");
                assertThat(group.warning())
                        .contains(
                                "What the GPUs exchange goes through host memory (Gloo), because NCCL cannot be used: "
                                        + "rank 0: libtorch is a build for CPUs");
            }
        }
    }

    @Test
    void sumsAndBroadcastsAreThoseOfTheCpu() throws Exception {
        try (RankPair ranks = onGpus(PATIENT)) {
            for (List<float[]> result : ranks.both(GpuProcessGroupTest::sumAndBroadcast)) {
                assertThat(result.get(0)).isEqualTo(sumOnCpu());
                assertThat(result.get(1)).containsExactly(1, 1, 1);
            }
        }
    }

    static float[] sumOnCpu() throws Exception {
        try (RankPair ranks = new RankPair(Device.cpu(), Device.cpu(), PATIENT)) {
            return ranks.both(GpuProcessGroupTest::sumAndBroadcast).get(0).get(0);
        }
    }

    /** The sum over the ranks of the rank's multiples of some numbers, and what rank 1 has sent. */
    static List<float[]> sumAndBroadcast(ProcessGroup group, NDManager manager) {
        NDArray values = RankMain.weights(manager).get("c").mul(group.rank() + 1);
        group.allReduceSum(values);
        NDArray received = manager.create(new float[] {group.rank(), group.rank(), group.rank()});
        group.broadcast(received, 1);
        group.barrier();
        assertThat(values.getDevice()).isEqualTo(manager.getDevice()).isEqualTo(received.getDevice());
        return List.of(values.toFloatArray(), received.toFloatArray());
    }

    @Test
    void averagedGradientsAreThoseOfTheCpu() throws Exception {
        try (RankPair ranks = onGpus(PATIENT)) {
            for (List<float[]> gradients : ranks.both(GpuProcessGroupTest::averagedGradients)) {
                assertThat(gradients).usingRecursiveComparison().isEqualTo(gradientsOnCpu());
                assertThat(gradients)
                        .allSatisfy(gradient -> assertThat(gradient).isNotEqualTo(new float[gradient.length]));
            }
        }
    }

    static List<float[]> gradientsOnCpu() throws Exception {
        try (RankPair ranks = new RankPair(Device.cpu(), Device.cpu(), PATIENT)) {
            return ranks.both(GpuProcessGroupTest::averagedGradients).get(0);
        }
    }

    /** The averages over the ranks after three passes, with other rows in each. */
    static List<float[]> averagedGradients(ProcessGroup group, NDManager manager) {
        return averagedGradients(group, manager, 3);
    }

    /** As above, after one pass. */
    static List<float[]> gradientsOfOnePass(ProcessGroup group, NDManager manager) {
        return averagedGradients(group, manager, 1);
    }

    private static List<float[]> averagedGradients(ProcessGroup group, NDManager manager, int passes) {
        Torch.setIntraOpThreads(1);
        Map<String, NDArray> weights = RankMain.weights(manager);
        TensorScope.requireGradients(weights.values());
        try (GradientReducer reducer = new GradientReducer(group, weights.values(), 64);
                TensorScope s = TensorScope.training(manager)) {
            for (int pass = 0; pass < passes; pass++) {
                int firstRow = 2 * pass + group.rank();
                TensorScope.dropGradients(weights.values());
                NDArray loss = RankMain.loss(s, weights, firstRow, 1);
                reducer.average(() -> s.backward(loss));
            }
            return weights.values().stream()
                    .map(weight -> s.gradient(weight).toFloatArray())
                    .toList();
        }
    }

    @Test
    void aTensorOfAnotherKindOfDeviceIsRefused() throws Exception {
        try (RankPair ranks = onGpus(PATIENT);
                NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            NDArray onCpu = manager.create(new float[] {1});
            assertThatThrownBy(() -> ranks.first().allReduceSum(onCpu))
                    .isInstanceOf(NativeException.class)
                    .hasMessageContaining("No backend type associated with device type cpu");
        }
    }

    @Test
    void aLostRankIsAnException() throws Exception {
        try (RankPair ranks = onGpus(PATIENT)) {
            Future<Void> waiting = ranks.begin(1, GpuProcessGroupTest::sumForever);
            Awaitility.await().atMost(PATIENT).until(ranks.second()::isInUse);
            ranks.first().close();
            assertThatThrownBy(() -> waiting.get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(CommunicationException.class)
                    .hasMessageContaining("Connection closed by peer");
        }
    }

    @Test
    void aRankThatDoesNothingIsAnExceptionAfterTheTimeout() throws Exception {
        try (RankPair ranks = onGpus(IMPATIENT)) {
            Future<List<float[]>> waiting = ranks.begin(1, GpuProcessGroupTest::averagedGradients);
            assertThatThrownBy(() -> waiting.get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(CommunicationException.class)
                    .hasMessageMatching("(?i).*time(d )?out.*");
        }
    }

    @Test
    void anAbortEndsAWaitForGradients() throws Exception {
        try (RankPair ranks = onGpus(PATIENT)) {
            assertAbortEndsAWaitForGradients(ranks);
        }
    }

    static void assertAbortEndsAWaitForGradients(RankPair ranks) {
        Future<List<float[]>> averaging = ranks.begin(1, GpuProcessGroupTest::gradientsOfOnePass);
        assertThatThrownBy(() -> averaging.get(2, TimeUnit.SECONDS))
                .as("it waits for the other rank")
                .isInstanceOf(TimeoutException.class);
        ranks.second().abort();
        assertThatThrownBy(() -> averaging.get(30, TimeUnit.SECONDS))
                .cause()
                .isInstanceOf(CommunicationException.class)
                .hasMessage("the process group was aborted");
        assertThatThrownBy(ranks.second()::barrier)
                .isInstanceOf(CommunicationException.class)
                .hasMessage("the process group was aborted");
    }

    static Void sumForever(ProcessGroup group, NDManager manager) {
        NDArray value = manager.create(new float[] {1});
        while (true) {
            group.allReduceSum(value);
        }
    }
}
