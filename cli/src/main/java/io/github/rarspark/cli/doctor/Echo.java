package io.github.rarspark.cli.doctor;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;

/** Listens on a free port and sends back what each connection sends first: whether others reach this process. */
final class Echo implements AutoCloseable {
    private static final int BACKLOG = 256;

    private final ServerSocket server;

    private Echo(ServerSocket server) {
        this.server = server;
    }

    /** Listens at an address of this machine, until closed. */
    static Echo listen(String address, Duration limit) throws IOException {
        Echo echo = new Echo(new ServerSocket(0, BACKLOG, InetAddress.getByName(address)));
        Thread thread = new Thread(() -> echo.answer(Math.toIntExact(limit.toMillis())), "doctor-echo");
        thread.setDaemon(true);
        thread.start();
        return echo;
    }

    int port() {
        return server.getLocalPort();
    }

    private void answer(int limitMillis) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                socket.setSoTimeout(limitMillis);
                new DataOutputStream(socket.getOutputStream())
                        .writeLong(new DataInputStream(socket.getInputStream()).readLong());
            } catch (IOException e) {
                // Whoever called tells what it saw; the next one gets its answer.
            }
        }
    }

    /**
     * Connects to an echo and gets an answer.
     *
     * @throws IOException if there is none within the limit
     */
    static void call(String host, int port, Duration limit) throws IOException {
        int millis = Math.toIntExact(limit.toMillis());
        long sent = System.nanoTime();
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), millis);
            socket.setSoTimeout(millis);
            new DataOutputStream(socket.getOutputStream()).writeLong(sent);
            if (new DataInputStream(socket.getInputStream()).readLong() != sent) {
                throw new IOException("another program answers");
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
