package io.github.rarspark.train.coordinator;

import io.github.rarspark.common.storage.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's end: accepts the ranks' connections and handles their reports one at a time. A report whose handling
 * fails is answered with the failure, which ends the rank and so the stage; the first such failure is kept for the
 * driver to rethrow. Driver only.
 */
public final class Coordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);
    private static final int HELLO_TIMEOUT_MILLIS = 10_000;
    private static final int SECRET_BYTES = 16;

    /** What the driver does with a report. */
    @FunctionalInterface
    public interface Handler {
        /** Handles a report; an exception ends the training. */
        void handle(Report report) throws IOException;
    }

    private final ServerSocket server;
    private final CoordinatorAddress address;
    private final Handler handler;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Exception> failure = new AtomicReference<>();

    /**
     * Listens at a free port.
     *
     * @param host the name by which executors reach the driver
     * @param bindAddress the driver's own address to listen on
     */
    public Coordinator(String host, String bindAddress, Handler handler) throws IOException {
        this.handler = handler;
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        server = new ServerSocket();
        server.bind(new InetSocketAddress(InetAddress.getByName(bindAddress), 0));
        address = new CoordinatorAddress(
                host, server.getLocalPort(), HexFormat.of().formatHex(secret));
        daemon("coordinator", this::accept);
    }

    /** Where ranks connect to. */
    public CoordinatorAddress address() {
        return address;
    }

    /** The first failure to handle a report. */
    public Optional<Exception> failure() {
        return Optional.ofNullable(failure.get());
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                connections.add(socket);
                daemon("coordinator-" + socket.getPort(), () -> serve(socket));
            } catch (IOException e) {
                if (!server.isClosed()) {
                    LOG.warn("Cannot accept a rank's connection", e);
                }
            }
        }
    }

    private void serve(Socket socket) {
        try (Wire wire = new Wire(socket, HELLO_TIMEOUT_MILLIS)) {
            if (!isSecret(wire.receive())) {
                LOG.warn("Refused a connection from {} that does not know the job's secret", socket.getInetAddress());
                return;
            }
            wire.send(Wire.OK);
            // From here on the rank may be silent for as long as it computes; its end closes the connection.
            wire.setTimeoutMillis(0);
            for (String line = wire.receive(); line != null; line = wire.receive()) {
                wire.send(answer(line));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                LOG.warn("Lost the connection to a rank at {}", socket.getInetAddress(), e);
            }
        } finally {
            connections.remove(socket);
        }
    }

    private boolean isSecret(String line) {
        return line != null
                && MessageDigest.isEqual(
                        line.getBytes(StandardCharsets.UTF_8), address.secret().getBytes(StandardCharsets.UTF_8));
    }

    private synchronized String answer(String line) {
        try {
            handler.handle(Json.read(line.getBytes(StandardCharsets.UTF_8), Report.class, "a rank's report"));
            return Wire.OK;
        } catch (IOException | RuntimeException e) {
            LOG.error("Cannot handle a rank's report", e);
            failure.compareAndSet(null, e);
            return String.valueOf(e.getMessage()).lines().findFirst().orElse("failed");
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : connections) {
            socket.close();
        }
    }
}
