package io.github.rarspark.common.testing;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** A port for a program that must be told which to listen at. */
public final class FreePort {
    /** Below the ports that Linux gives to connections and to whoever asks for any port. */
    private static final int FIRST = 20_000;

    private static final int PORTS = 10_000;
    private static final int TRIES = 100;

    private FreePort() {}

    /** A port of the loopback address that is free, and that nobody gets who does not ask for it by its number. */
    public static int find() throws IOException {
        BindException taken = null;
        for (int i = 0; i < TRIES; i++) {
            int port = FIRST + ThreadLocalRandom.current().nextInt(PORTS);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException e) {
                taken = e;
            }
        }
        throw taken;
    }
}
