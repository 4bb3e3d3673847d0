package io.github.rarspark.kernel.dist;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Owns one native object: fails clearly after it is closed, and closes it once. */
abstract class NativeObject implements AutoCloseable {
    private final String name;
    private final AtomicLong handle;
    private final LongConsumer release;

    NativeObject(String name, long handle, LongConsumer release) {
        this.name = name;
        this.handle = new AtomicLong(handle);
        this.release = release;
    }

    /** The native address. */
    final long handle() {
        long value = handle.get();
        if (value == 0) {
            throw new IllegalStateException("The " + name + " is closed");
        }
        return value;
    }

    @Override
    public void close() {
        long value = handle.getAndSet(0);
        if (value != 0) {
            release.accept(value);
        }
    }
}
