package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TorchTest {
    @TempDir
    private Path directory;

    /** Ends itself while another thread is inside one long call of libtorch. */
    static final class BusyProcess {
        /** Operations in that call, so that it takes about a second. */
        private static final int OPERATIONS = 300_000;

        public static void main(String[] args) throws InterruptedException {
            CountDownLatch busy = new CountDownLatch(1);
            Thread thread = new Thread(() -> compute(busy));
            thread.setDaemon(true);
            thread.start();
            busy.await(60, TimeUnit.SECONDS);
            Torch.halt(130);
        }

        private static void compute(CountDownLatch busy) {
            try (NDManager manager = NDManager.newBaseManager();
                    TensorScope s = TensorScope.training(manager)) {
                NDArray x = s.floats(new float[64], 64);
                TensorScope.requireGradients(List.of(x));
                NDArray y = x;
                for (int i = 0; i < OPERATIONS; i++) {
                    y = s.affine(y, 0.5, 0);
                }
                busy.countDown();
                s.backward(s.sum(y, 0));
            }
            System.out.println("the call has ended too early");
        }
    }

    @Test
    void haltKeepsItsCodeWhileLibtorchIsBusy() throws Exception {
        Process process = start(BusyProcess.class);
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String said = String.join("\n", output.lines().toList());
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(said).doesNotContain("too early");
            assertThat(process.exitValue()).as(said).isEqualTo(130);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Ends itself without libtorch. */
    static final class IdleProcess {
        public static void main(String[] args) {
            Torch.halt(75);
        }
    }

    @Test
    void haltDoesNotNeedLibtorch() throws Exception {
        Process process = start(IdleProcess.class);
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(75);
        } finally {
            process.destroyForcibly();
        }
    }

    /** A crash would leave its report in the test's directory. */
    private Process start(Class<?> main) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String report = "-XX:ErrorFile=" + directory.resolve("crash.log");
        return new ProcessBuilder(java, report, "-cp", System.getProperty("java.class.path"), main.getName())
                .redirectErrorStream(true)
                .start();
    }

    @Test
    void convolutionsOnGpusAreDeterministic() {
        assertThat(Torch.convolutionsAreDeterministic()).isTrue();
    }
}
