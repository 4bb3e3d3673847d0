package io.github.rarspark.train.coordinator;

import io.github.rarspark.common.Closeables;
import io.github.rarspark.common.storage.Json;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's side: accepts the ranks' connections and handles their reports one at a time. If a report cannot be
 * handled, the answer is the failure, which ends the rank and with it the stage; the first such failure is kept for the
 * driver to rethrow. Driver only.
 */
public final class Coordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);
    private static final int HELLO_TIMEOUT_MILLIS = 10_000;
    private static final int BACKLOG = 50;
    private static final long FIRST_PAUSE_MILLIS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 1000;
    private static final int CLOSE_TIMEOUT_SECONDS = 60;
    private static final int SECRET_BYTES = 16;

    /** What the driver does with a report. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Handles a report; an exception ends the training. Reports come one at a time, except heartbeats, which may
         * come while another report is being handled.
         */
        void handle(Report report) throws IOException;
    }

    private final ServerSocket server;
    private final CoordinatorAddress address;
    private final Handler handler;
    private final ExecutorService threads;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    /** The connections being served; guards {@link #closed} as well. */
    private final Set<Socket> connections = new HashSet<>();

    private boolean closed;
    private volatile boolean stopping;

    /**
     * Listens on a free port.
     *
     * @param host the name by which executors reach the driver
     * @param bindAddress the driver's own address to listen on
     */
    public Coordinator(String host, String bindAddress, Handler handler) throws IOException {
        this(host, new ServerSocket(0, BACKLOG, InetAddress.getByName(bindAddress)), handler);
    }

    /** Listens at {@code server}, which it closes. */
    Coordinator(String host, ServerSocket server, Handler handler) {
        this.server = server;
        this.handler = handler;
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        address = new CoordinatorAddress(
                host, server.getLocalPort(), HexFormat.of().formatHex(secret));
        threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "coordinator-" + address.port());
            thread.setDaemon(true);
            return thread;
        });
        threads.execute(this::accept);
    }

    /** Where ranks connect to. */
    public CoordinatorAddress address() {
        return address;
    }

    /** Asks the ranks to stop, by the answers to their reports. */
    public void requestStop() {
        stopping = true;
    }

    /** The first failure to handle a report. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }

    /** Accepts connections until closed. An error may last, such as a lack of file descriptors. */
    private void accept() {
        long pauseMillis = 0;
        while (!server.isClosed()) {
            try {
                TimeUnit.MILLISECONDS.sleep(pauseMillis);
                admit(server.accept());
                pauseMillis = 0;
            } catch (IOException e) {
                if (pauseMillis == 0 && !server.isClosed()) {
                    LOG.warn("Cannot accept a rank's connection; trying again until it can be accepted", e);
                }
                pauseMillis = Math.min(Math.max(FIRST_PAUSE_MILLIS, 2 * pauseMillis), LONGEST_PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Serves a connection, unless it was accepted while the coordinator closed, which an accept may outlive. */
    private void admit(Socket socket) throws IOException {
        synchronized (connections) {
            if (!closed) {
                connections.add(socket);
                threads.execute(() -> serve(socket));
                return;
            }
        }
        socket.close();
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
            if (!isClosed()) {
                LOG.warn("Lost the connection to a rank at {}", socket.getInetAddress(), e);
            }
        } finally {
            synchronized (connections) {
                connections.remove(socket);
            }
        }
    }

    private boolean isClosed() {
        synchronized (connections) {
            return closed;
        }
    }

    private boolean isSecret(String line) {
        return line != null
                && MessageDigest.isEqual(
                        line.getBytes(StandardCharsets.UTF_8), address.secret().getBytes(StandardCharsets.UTF_8));
    }

    private String answer(String line) {
        try {
            Report report = Json.read(line.getBytes(StandardCharsets.UTF_8), Report.class, "a rank's report");
            return report instanceof Report.Heartbeat ? answer(report) : answerAlone(report);
        } catch (IOException | RuntimeException | Error e) {
            // Errors as well: Hadoop's local files throw one when the disk is full.
            LOG.error("Cannot handle a rank's report", e);
            failure.compareAndSet(null, e);
            return String.valueOf(e.getMessage()).lines().findFirst().orElse("failed");
        }
    }

    private synchronized String answerAlone(Report report) throws IOException {
        return answer(report);
    }

    private String answer(Report report) throws IOException {
        if (isClosed()) {
            return "the training has ended";
        }
        handler.handle(report);
        return stopping ? Wire.STOP : Wire.OK;
    }

    /**
     * Stops listening, closes the ranks' connections and waits for a report that is being handled. Afterwards no report
     * is handled, connections are refused, and whoever was connected sees the connection closed.
     */
    @Override
    public void close() throws IOException {
        List<Closeable> open = new ArrayList<>();
        open.add(server);
        synchronized (connections) {
            closed = true;
            open.addAll(connections);
        }
        try {
            Closeables.closeAll(open);
        } finally {
            endThreads();
        }
    }

    private void endThreads() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("A rank's report is still being handled after {} s", CLOSE_TIMEOUT_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
