package io.github.rarspark.kernel.dist;

import io.github.rarspark.kernel.tensor.NativeLibrary;
import java.time.Duration;

/**
 * The key-value store (c10d's TCPStore) through which the ranks of a group find each other. Rank 0 serves it on a free
 * port and publishes host and port; every rank, including rank 0, joins its group through a store object of its own. It
 * has neither authentication nor encryption: use it on a trusted network only.
 */
public final class RendezvousStore extends NativeObject {
    private RendezvousStore(long handle) {
        super("rendezvous store", handle, RendezvousStore::free);
    }

    /**
     * Serves a store on a free port of {@code host}, bound to that address only.
     *
     * @param timeout how long an operation waits for other ranks
     * @throws io.github.rarspark.kernel.error.NativeException if the host cannot be resolved or bound
     */
    public static RendezvousStore serve(String host, Duration timeout) {
        NativeLibrary.load();
        return new RendezvousStore(serve(host, timeout.toMillis()));
    }

    /**
     * Connects to the store served at {@code host:port}.
     *
     * @param timeout how long to wait for the connection, and later for other ranks
     * @throws io.github.rarspark.kernel.error.CommunicationException if there is no answer within the timeout
     */
    public static RendezvousStore connect(String host, int port, Duration timeout) {
        NativeLibrary.load();
        return new RendezvousStore(connect(host, port, timeout.toMillis()));
    }

    /** The port that the store is served at. */
    public int port() {
        return apply(RendezvousStore::port);
    }

    /** Stores {@code value} under {@code key}. */
    void put(String key, String value) {
        run(address -> put(address, key, value));
    }

    /**
     * The value that a rank has stored under {@code key}, as soon as it has.
     *
     * @throws io.github.rarspark.kernel.error.CommunicationException if none does within the timeout
     */
    String await(String key) {
        return apply(address -> await(address, key));
    }

    private static native long serve(String host, long timeoutMillis);

    private static native long connect(String host, int port, long timeoutMillis);

    private static native int port(long store);

    private static native void put(long store, String key, String value);

    private static native String await(long store, String key);

    private static native void free(long store);
}
