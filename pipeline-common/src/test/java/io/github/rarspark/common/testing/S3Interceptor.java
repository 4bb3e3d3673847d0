package io.github.rarspark.common.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Stands between clients and an S3 server: passes requests on, records them, and answers those for which a rule says so
 * with a {@link Fault}.
 */
public final class S3Interceptor implements AutoCloseable {
    /** What happens to a request instead of its answer. */
    public enum Fault {
        /** The server says to slow down: 503. */
        SLOW_DOWN,
        /** The server has a fault of its own: 500. */
        INTERNAL_ERROR,
        /** The connection is reset before the server has the request. */
        RESET_BEFORE,
        /** The connection is reset after the server did what was asked. */
        RESET_AFTER,
        /** The connection ends in the middle of the answer. */
        CUT,
        /** The server does not know the upload: 404. */
        UNKNOWN,
        /** The server gets half of the body, and the rest never, until the client is gone. */
        STALL
    }

    private static final int STALL_LIMIT_MILLIS = 120_000;

    private final ServerSocket socket;
    private final int server;
    private final ExecutorService pool = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "s3-interceptor");
        thread.setDaemon(true);
        return thread;
    });
    private final ConcurrentLinkedQueue<S3Request> requests = new ConcurrentLinkedQueue<>();
    private final Map<Fault, ConcurrentLinkedQueue<S3Request>> faults = new ConcurrentHashMap<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile Function<S3Request, Optional<Fault>> rule = request -> Optional.empty();

    private S3Interceptor(ServerSocket socket, int server) {
        this.socket = socket;
        this.server = server;
    }

    /** Listens on a free port for the server on the port {@code server} of this machine. */
    public static S3Interceptor start(int server) throws IOException {
        ServerSocket socket = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        S3Interceptor interceptor = new S3Interceptor(socket, server);
        interceptor.pool.execute(interceptor::accept);
        return interceptor;
    }

    /** Where it listens. */
    public int port() {
        return socket.getLocalPort();
    }

    /** Which requests get a fault from now on. */
    public void failWhere(Function<S3Request, Optional<Fault>> newRule) {
        rule = newRule;
    }

    /** Gives the next request that {@code condition} accepts a fault, and no other. */
    public void failOnce(Fault fault, Predicate<S3Request> condition) {
        AtomicBoolean happened = new AtomicBoolean();
        failWhere(request ->
                condition.test(request) && happened.compareAndSet(false, true) ? Optional.of(fault) : Optional.empty());
    }

    /** The requests so far. */
    public List<S3Request> requests() {
        return List.copyOf(requests);
    }

    /** Those that got this fault. */
    public List<S3Request> with(Fault fault) {
        return List.copyOf(faults.getOrDefault(fault, new ConcurrentLinkedQueue<>()));
    }

    /** Forgets what it has recorded. */
    public void forget() {
        requests.clear();
        faults.clear();
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                open.add(client);
                pool.execute(() -> serve(client));
            } catch (IOException e) {
                return; // It is closed.
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server)) {
            open.add(upstream);
            client.setTcpNoDelay(true);
            upstream.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(client.getInputStream());
            InputStream answers = new BufferedInputStream(upstream.getInputStream());
            boolean goesOn = true;
            while (goesOn) {
                Optional<HttpMessage> head = HttpMessage.readHead(in);
                goesOn = head.isPresent() && answer(client, in, head.get(), upstream, answers);
            }
            open.remove(upstream);
        } catch (IOException e) {
            // One side is gone, and the other sees that by the end of its connection.
        } finally {
            open.remove(client);
        }
    }

    /** Whether the connection stays open. */
    private boolean answer(Socket client, InputStream in, HttpMessage head, Socket upstream, InputStream answers)
            throws IOException {
        OutputStream out = client.getOutputStream();
        if (head.header("Expect").isPresent()) {
            send(out, "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        }
        HttpMessage message = head.without("Expect").withBodyOf(in);
        S3Request request = S3Request.of(message);
        Optional<Fault> fault = rule.apply(request);
        fault.ifPresent(what -> faults.computeIfAbsent(what, key -> new ConcurrentLinkedQueue<>())
                .add(request));
        requests.add(request);
        boolean isHead = message.word(0).equals("HEAD");
        if (fault.isEmpty()) {
            send(out, exchange(message, isHead, upstream, answers).bytes(0));
            return true;
        }
        switch (fault.get()) {
            case SLOW_DOWN -> send(out, error("503 Slow Down", "SlowDown", isHead));
            case INTERNAL_ERROR -> send(out, error("500 Internal Server Error", "InternalError", isHead));
            case UNKNOWN -> send(out, error("404 Not Found", "NoSuchUpload", isHead));
            case RESET_BEFORE -> client.setSoLinger(true, 0);
            case RESET_AFTER -> {
                exchange(message, isHead, upstream, answers);
                client.setSoLinger(true, 0);
            }
            case CUT -> {
                HttpMessage response = exchange(message, isHead, upstream, answers);
                send(out, response.bytes((response.body().length + 1) / 2));
            }
            case STALL -> {
                send(upstream.getOutputStream(), message.bytes((message.body().length + 1) / 2));
                client.setSoTimeout(STALL_LIMIT_MILLIS);
                in.read();
            }
            default -> throw new AssertionError(fault);
        }
        return Set.of(Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.UNKNOWN).contains(fault.get());
    }

    private static HttpMessage exchange(HttpMessage request, boolean isHead, Socket upstream, InputStream answers)
            throws IOException {
        send(upstream.getOutputStream(), request.bytes(0));
        HttpMessage head =
                HttpMessage.readHead(answers).orElseThrow(() -> new IOException("The server closed the connection"));
        boolean hasBody =
                !isHead && !head.word(1).equals("204") && !head.word(1).equals("304");
        return hasBody ? head.withBodyOf(answers) : head;
    }

    private static byte[] error(String status, String code, boolean isHead) {
        byte[] body = isHead
                ? new byte[0]
                : ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" + status
                                + "</Message><RequestId>1</RequestId></Error>")
                        .getBytes(StandardCharsets.US_ASCII);
        List<String> lines = new ArrayList<>(List.of("HTTP/1.1 " + status, "Content-Type: application/xml"));
        lines.add("Content-Length: " + body.length);
        return new HttpMessage(lines, body).bytes(0);
    }

    private static void send(OutputStream out, byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket each : open) {
            each.close();
        }
        pool.shutdownNow();
    }
}
