package io.github.rarspark.common.tokens;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A process that opens a token store, says so on its standard output, and keeps the store open until it is killed. */
final class TokenStoreProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    private TokenStoreProcess(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /**
     * Starts a process that opens the store of {@code tokens} in {@code directory} as soon as {@code go} exists.
     *
     * @param stopAt the name of a shard at which it stops, after {@code stopped}; empty for none
     */
    static TokenStoreProcess start(Path directory, String run, String tokens, Path go, String stopAt)
            throws IOException {
        return new TokenStoreProcess(Jvm.of(
                        List.of("-Xmx128m"),
                        TokenStoreProcess.class.getName(),
                        directory.toString(),
                        run,
                        tokens,
                        go.toString(),
                        stopAt)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** What it says next: {@code ready}, {@code stopped}, or the number of shards that it has opened. */
    String says() throws IOException {
        return output.readLine();
    }

    /** Ends it as {@code kill -9} does. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String stopAt = arguments[4];
        AtomicInteger opened = new AtomicInteger();
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().endsWith(".parquet")) {
                opened.incrementAndGet();
                if (path.getName().equals(stopAt)) {
                    say("stopped");
                    sleep();
                }
            }
        }));
        TokenSource source = TokenShards.open(storage, arguments[2]);
        say("ready");
        while (!Files.exists(Path.of(arguments[3]))) {
            Thread.onSpinWait();
        }
        TokenStores stores = new TokenStores(List.of(Path.of(arguments[0])), arguments[1], 1 << 20);
        try (TokenStore store = stores.open(source, Duration.ofSeconds(60))) {
            say(Integer.toString(opened.get()));
            sleep();
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static void sleep() throws IOException {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
