package io.github.rarspark.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class LocalRanksTest {
    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    private static BenchRequest request(int ranks, boolean processes, int threads) {
        return new BenchRequest(
                "rar-s",
                ranks,
                Precision.FP32,
                -1,
                threads,
                1,
                0,
                0,
                false,
                new BenchRequest.Ranks(ranks, processes, 1024));
    }

    /** Sums over the ranks: the process ids, and the number of threads that each may use. */
    private record Identities() implements LocalRanks.Work<double[]> {
        @Override
        public double[] run(ProcessGroup group, NDManager manager) {
            try (TensorScope s = TensorScope.inference(manager)) {
                long process = ProcessHandle.current().pid();
                NDArray sum = s.doubles(new double[] {process, Torch.intraOpThreads(), group.rank()}, 3);
                group.allReduceSum(sum);
                return sum.toDoubleArray();
            }
        }
    }

    @Test
    void threadsShareThisProcess() {
        double process = ProcessHandle.current().pid();
        assertThat(LocalRanks.run(request(3, false, 2), new Identities())).containsExactly(3 * process, 6, 3);
    }

    @Test
    void processesAreOthers() {
        double process = ProcessHandle.current().pid();
        double[] sums = LocalRanks.run(request(3, true, 1), new Identities());
        assertThat(sums[0] - process).isPositive().isNotEqualTo(2 * process);
        assertThat(sums[1]).isEqualTo(3);
        assertThat(sums[2]).isEqualTo(3);
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive))
                .as("processes that are left")
                .isEmpty();
    }

    /** Rank 1 fails while the others wait for it. */
    private record Failing() implements LocalRanks.Work<Void> {
        @Override
        public Void run(ProcessGroup group, NDManager manager) {
            if (group.rank() == 1) {
                throw new DataException("no samples for rank 1");
            }
            group.barrier();
            return null;
        }
    }

    @Test
    void theFailureOfAThreadIsTold() {
        assertThatThrownBy(() -> LocalRanks.run(request(2, false, 1), new Failing()))
                .isInstanceOf(DataException.class)
                .hasMessage("no samples for rank 1");
    }

    @Test
    void theFailureOfAProcessIsTold() {
        assertThatThrownBy(() -> LocalRanks.run(request(2, true, 1), new Failing()))
                .isInstanceOf(CommunicationException.class)
                .hasMessageStartingWith("Rank 1 ended with exit code 1: ")
                .hasMessageEndingWith("DataException: no samples for rank 1");
    }

    /** Cannot be read in the process that it is sent to. */
    private record Unreadable() implements LocalRanks.Work<Void> {
        @Override
        public Void run(ProcessGroup group, NDManager manager) {
            return null;
        }

        private Object writeReplace() {
            return "not the work of a rank";
        }
    }

    @Test
    void aProcessThatNeverConnectsIsTold() {
        assertThatThrownBy(() -> LocalRanks.run(request(2, true, 1), new Unreadable()))
                .isInstanceOf(CommunicationException.class)
                .hasMessageStartingWith("Rank 1 ended before it connected: Exception in thread");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFailureOfRankZeroEndsTheOthers(boolean processes) {
        assertThatThrownBy(() -> LocalRanks.run(request(2, processes, 1), new FailingFirst()))
                .isInstanceOf(DataException.class)
                .hasMessage("no samples for rank 0");
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive))
                .as("processes that are left")
                .isEmpty();
    }

    /** Rank 0 fails while the others wait for it. */
    private record FailingFirst() implements LocalRanks.Work<Void> {
        @Override
        public Void run(ProcessGroup group, NDManager manager) {
            if (group.rank() == 0) {
                throw new DataException("no samples for rank 0");
            }
            group.barrier();
            return null;
        }
    }
}
