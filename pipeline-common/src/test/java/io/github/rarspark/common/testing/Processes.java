package io.github.rarspark.common.testing;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Processes of a test. A field with {@code @RegisterExtension} ends those that it started after each test, however that
 * ended; each with the processes that it has started itself.
 */
public final class Processes implements AfterEachCallback {
    private final List<Process> started = new ArrayList<>();

    /** Starts a process that does not outlive the test. */
    public Process start(ProcessBuilder builder) throws IOException {
        Process process = builder.start();
        started.add(process);
        return process;
    }

    /**
     * The exit code of a process that ends within {@code limit}; one that does not is killed.
     *
     * @throws AssertionError if it does not end
     */
    public static int exitCode(Process process, Duration limit) throws InterruptedException {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("Process " + process.pid() + " has not ended within " + limit);
            }
            return process.exitValue();
        } finally {
            kill(process);
        }
    }

    /** Kills a process and those that it has started, as far as they are alive. */
    public static void kill(Process process) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    @Override
    public void afterEach(ExtensionContext test) {
        started.forEach(Processes::kill);
        started.clear();
    }
}
