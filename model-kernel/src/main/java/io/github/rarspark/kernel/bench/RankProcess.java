package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.error.CommunicationException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A rank that is a JVM of its own, with the class path and options of this one. */
final class RankProcess implements LocalRanks.Peer {
    private static final String CONNECTED = "rank connected";
    /** How Java begins to report what ends its main thread. */
    private static final String FAILURE = "Exception in thread";

    private final int rank;
    private final Process process;
    private final BufferedReader output;

    private RankProcess(int rank, Process process) {
        this.rank = rank;
        this.process = process;
        this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts the process; returns when it has connected to rank 0's store. */
    static RankProcess start(LocalRanks.Seat seat, LocalRanks.Work<?> work) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-agentlib") && !option.startsWith("-javaagent"))
                .forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), RankProcess.class.getName()));
        try {
            RankProcess started = new RankProcess(
                    seat.rank(),
                    new ProcessBuilder(command).redirectErrorStream(true).start());
            try {
                started.send(seat, work);
                return started;
            } catch (IOException | RuntimeException | Error e) {
                started.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot start rank " + seat.rank() + " as a process", e);
        }
    }

    private void send(LocalRanks.Seat seat, LocalRanks.Work<?> work) throws IOException {
        try (ObjectOutputStream input = new ObjectOutputStream(process.getOutputStream())) {
            input.writeObject(seat);
            input.writeObject(work);
        }
        String line = output.readLine();
        while (line != null && !line.equals(CONNECTED) && !line.startsWith(FAILURE)) {
            line = output.readLine();
        }
        if (!CONNECTED.equals(line)) {
            throw new CommunicationException("Rank " + rank + " ended before it connected: " + line);
        }
    }

    @Override
    public void await() {
        try {
            if (!process.waitFor(LocalRanks.TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
                throw new CommunicationException("Rank " + rank + " did not end within " + LocalRanks.TIMEOUT);
            }
            if (process.exitValue() != 0) {
                String reason = output.lines()
                        .filter(line -> line.startsWith(FAILURE))
                        .findFirst()
                        .orElse("no reason given");
                throw new CommunicationException(
                        "Rank " + rank + " ended with exit code " + process.exitValue() + ": " + reason);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommunicationException("The wait for rank " + rank + " was interrupted");
        }
    }

    @Override
    public void close() {
        try {
            process.destroyForcibly().waitFor(LocalRanks.TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The process: reads its seat and its work from the standard input. */
    public static void main(String[] args) throws IOException, ClassNotFoundException {
        LocalRanks.Seat seat;
        LocalRanks.Work<?> work;
        try (ObjectInputStream input = new ObjectInputStream(System.in)) {
            seat = (LocalRanks.Seat) input.readObject();
            work = (LocalRanks.Work<?>) input.readObject();
        }
        seat.take(work, () -> System.out.println(CONNECTED));
    }
}
