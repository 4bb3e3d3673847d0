package io.github.rarspark.kernel.dist;

import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/**
 * Owns one native object. Any thread may close it: later calls fail with an exception, and the object is freed when the
 * last running call returns, by the thread that made it.
 */
abstract class NativeObject implements AutoCloseable {
    private final String name;
    private final long handle;
    private final LongConsumer free;
    private int calls;
    private boolean closed;

    NativeObject(String name, long handle, LongConsumer free) {
        this.name = name;
        this.handle = handle;
        this.free = free;
    }

    /**
     * Calls a native function with the object's address, which is valid until the function returns.
     *
     * @throws IllegalStateException if the object is closed
     */
    final <R> R apply(LongFunction<R> call) {
        if (!begin()) {
            throw new IllegalStateException("The " + name + " is closed");
        }
        try {
            return call.apply(handle);
        } finally {
            end();
        }
    }

    /** Like {@link #apply}, without a result. */
    final void run(LongConsumer call) {
        apply(address -> {
            call.accept(address);
            return null;
        });
    }

    /** Like {@link #run}, but does nothing if the object is closed. */
    final void runIfOpen(LongConsumer call) {
        if (begin()) {
            try {
                call.accept(handle);
            } finally {
                end();
            }
        }
    }

    /** Whether a call is running. */
    final synchronized boolean isInUse() {
        return calls > 0;
    }

    /** Whether it was closed, even if a call is still running. */
    final synchronized boolean isClosed() {
        return closed;
    }

    /** Counts a call, unless the object is closed. */
    private synchronized boolean begin() {
        if (!closed) {
            calls++;
        }
        return !closed;
    }

    private void end() {
        boolean last;
        synchronized (this) {
            calls--;
            last = closed && calls == 0;
        }
        if (last) {
            free.accept(handle);
        }
    }

    @Override
    public final void close() {
        boolean unused;
        synchronized (this) {
            unused = !closed && calls == 0;
            closed = true;
        }
        if (unused) {
            free.accept(handle);
        }
    }
}
