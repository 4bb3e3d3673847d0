package io.github.rarspark.common.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProcessesTest {
    private static final ProcessBuilder SHELL = new ProcessBuilder("bash", "-c", "sleep 600 & echo $!; wait");

    private final Processes processes = new Processes();

    @AfterEach
    void kill() {
        processes.afterEach(null);
    }

    private static ProcessHandle childOf(Process shell) throws Exception {
        try (BufferedReader output = shell.inputReader()) {
            return ProcessHandle.of(Long.parseLong(output.readLine())).orElseThrow();
        }
    }

    private static void assertEnded(ProcessHandle... ended) {
        for (ProcessHandle process : ended) {
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !process.isAlive());
        }
    }

    @Test
    void aProcessThatDoesNotEndIsKilledWithItsChildren() throws Exception {
        Process shell = processes.start(SHELL);
        ProcessHandle child = childOf(shell);
        assertThatThrownBy(() -> Processes.exitCode(shell, Duration.ofMillis(100)))
                .isInstanceOf(AssertionError.class)
                .hasMessage("Process " + shell.pid() + " has not ended within PT0.1S");
        assertEnded(shell.toHandle(), child);
    }

    @Test
    void whatATestHasStartedEndsWithIt() throws Exception {
        Process shell = processes.start(SHELL);
        ProcessHandle child = childOf(shell);
        processes.afterEach(null);
        assertEnded(shell.toHandle(), child);
    }

    @Test
    void theExitCodeIsThatOfTheProcess() throws Exception {
        assertThat(Processes.exitCode(new ProcessBuilder("bash", "-c", "exit 7").start(), Duration.ofSeconds(30)))
                .isEqualTo(7);
    }
}
