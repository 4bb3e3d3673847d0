package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.tensor.Handles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The backend of {@code librarspark-nccl.so} with a double of NCCL's process group, which says what it does. */
@Tag("gpu")
@Timeout(180)
class NcclBackendTest {
    private static final String LIBRARY = Path.of("src/test/resources/native/linux-x86_64/librarspark-nccl-double.so")
            .toAbsolutePath()
            .toString();
    private static final Duration PATIENT = Duration.ofSeconds(60);
    private static final Duration IMPATIENT = Duration.ofSeconds(3);

    // Loads libtorch, which the library needs, and then the library.
    private final long factory = NcclLibrary.factoryIn(LIBRARY);
    private final NativeLibrary counters = NativeLibrary.getInstance(LIBRARY);

    @BeforeEach
    void count() {
        List.of("aborts", "shutdowns", "hangs", "full")
                .forEach(name -> variable(name).setInt(0, 0));
    }

    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    private Pointer variable(String name) {
        return counters.getGlobalVariableAddress("nccl_double_" + name);
    }

    private RankPair over(Duration timeout) throws Exception {
        return new RankPair(
                List.of(Device.gpu(0), Device.gpu(1)),
                timeout,
                (store, rank, device) -> join(store, rank, 2, timeout, device));
    }

    private ProcessGroup join(RendezvousStore store, int rank, int ranks, Duration timeout, Device device) {
        return ProcessGroup.overNccl(store, rank, ranks, timeout, device, factory);
    }

    @Test
    void collectivesReturnWhenTheirResultsAreThere() throws Exception {
        try (RankPair ranks = over(PATIENT)) {
            assertThat(ranks.first().backend()).isEqualTo("nccl");
            assertThat(ranks.first().warning()).isEmpty();
            for (List<float[]> result : ranks.both(GpuProcessGroupTest::sumAndBroadcast)) {
                assertThat(result.get(0)).isEqualTo(GpuProcessGroupTest.sumOnCpu());
                assertThat(result.get(1)).containsExactly(1, 1, 1);
            }
        }
        assertThat(variable("shutdowns").getInt(0)).isEqualTo(2);
        assertThat(variable("aborts").getInt(0)).isZero();
    }

    /** The reducer only waits for NCCL's futures, which are complete at once. */
    @Test
    void averagedGradientsAreWaitedFor() throws Exception {
        try (RankPair ranks = over(PATIENT)) {
            List<List<float[]>> results = ranks.both(GpuProcessGroupTest::averagedGradients);
            assertThat(results).allSatisfy(gradients -> assertThat(gradients)
                    .usingRecursiveComparison()
                    .isEqualTo(GpuProcessGroupTest.gradientsOnCpu()));
        }
    }

    @Test
    void aLostRankIsAnExceptionAndTheGroupIsAborted() throws Exception {
        try (RankPair ranks = over(PATIENT)) {
            Future<Void> waiting = ranks.begin(1, GpuProcessGroupTest::sumForever);
            Awaitility.await().atMost(PATIENT).until(ranks.second()::isInUse);
            ranks.first().close();
            assertThatThrownBy(() -> waiting.get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(CommunicationException.class)
                    .hasMessage("NCCL error Last error: a remote process exited");
        }
        assertThat(variable("shutdowns").getInt(0)).as("of the lost rank").isEqualTo(1);
        assertThat(variable("aborts").getInt(0)).as("of the other").isEqualTo(1);
    }

    @Test
    void aRankThatDoesNothingIsAnExceptionAfterTheTimeout() throws Exception {
        try (RankPair ranks = over(IMPATIENT)) {
            Future<List<float[]>> waiting = ranks.begin(1, GpuProcessGroupTest::averagedGradients);
            assertThatThrownBy(() -> waiting.get(30, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(CommunicationException.class)
                    .hasMessage("timed out after 3000 ms in blocking wait");
        }
    }

    @Test
    void anAbortFailsWhatNcclEndsAsIfItHadSucceeded() throws Exception {
        try (RankPair ranks = over(PATIENT)) {
            GpuProcessGroupTest.assertAbortEndsAWaitForGradients(ranks);
        }
    }

    @Test
    void ranksThatCannotConnectAreAnExceptionAfterTheTimeout() {
        variable("hangs").setInt(0, 1);
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", IMPATIENT)) {
            assertThatThrownBy(() -> join(store, 0, 1, IMPATIENT, Device.gpu(0)))
                    .isInstanceOf(CommunicationException.class)
                    .hasMessage("NCCL took longer than 3000 ms to connect to the other ranks");
        } finally {
            variable("hangs").setInt(0, 0);
        }
        assertThat(variable("aborts").getInt(0)).isEqualTo(1);
    }

    @Test
    void memoryThatNcclDoesNotGetIsAFailureOfItsOwn() {
        variable("full").setInt(0, 1);
        try (RendezvousStore store = RendezvousStore.serve("127.0.0.1", PATIENT)) {
            assertThatThrownBy(() -> join(store, 0, 1, PATIENT, Device.gpu(0)))
                    .isInstanceOf(NativeMemoryException.class)
                    .hasMessage("NCCL error Last error: Cuda failure 2 'out of memory'");
        } finally {
            variable("full").setInt(0, 0);
        }
    }
}
