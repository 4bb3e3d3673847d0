package io.github.rarspark.train.coordinator;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** A rank's end. Not thread-safe. */
public final class CoordinatorClient implements AutoCloseable {
    private final Wire wire;

    /**
     * Connects to the driver.
     *
     * @param timeout the limit of connecting and of waiting for each answer
     * @throws JobException {@link ExitCode#UNAVAILABLE} if the driver cannot be reached
     */
    public CoordinatorClient(CoordinatorAddress address, Duration timeout) throws IOException {
        int millis = Math.toIntExact(timeout.toMillis());
        Socket socket = new Socket();
        try {
            connect(socket, address, millis);
            wire = new Wire(socket, millis);
            exchange(address.secret());
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static void connect(Socket socket, CoordinatorAddress address, int millis) {
        try {
            socket.connect(new InetSocketAddress(address.host(), address.port()), millis);
        } catch (IOException e) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot reach the driver at " + address + " to report to it (" + e.getMessage()
                            + "); allow executors to connect to all ports of spark.driver.host",
                    e);
        }
    }

    /**
     * Sends a report and waits until the driver has handled it.
     *
     * @return whether the driver asks the rank to stop
     * @throws JobException {@link ExitCode#TEMPORARY} if the driver could not handle it
     */
    public boolean send(Report report) throws IOException {
        return exchange(Json.line(report));
    }

    private boolean exchange(String line) throws IOException {
        wire.send(line);
        String answer = wire.receive();
        boolean stop = Wire.STOP.equals(answer);
        if (!stop && !Wire.OK.equals(answer)) {
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "The driver refused a report: " + (answer == null ? "it closed the connection" : answer));
        }
        return stop;
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
