package io.github.rarspark.kernel.tensor;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A demand for a setting of libtorch's, which it has once for the whole process: on, for every thread, until the last open
 * demand is closed. The native side counts them.
 */
abstract class ProcessSetting implements AutoCloseable {
    private final AtomicBoolean open;
    private final Runnable exit;

    /**
     * Opens a demand.
     *
     * @param demanded whether to change anything
     * @param enter counts one more
     * @param exit counts one less
     */
    ProcessSetting(boolean demanded, Runnable enter, Runnable exit) {
        NativeLibrary.load();
        this.open = new AtomicBoolean(demanded);
        this.exit = exit;
        if (demanded) {
            enter.run();
        }
    }

    @Override
    public final void close() {
        if (open.compareAndSet(true, false)) {
            exit.run();
        }
    }
}
