package io.github.rarspark.common.memory;

import java.util.Locale;

/** Numbers of bytes as text, in binary units as Spark has them. */
public final class Sizes {
    private static final long GIBIBYTE = 1L << 30;
    private static final double MEBIBYTE = 1 << 20;

    private Sizes() {}

    /** In MiB, or in GiB from one on. */
    public static String text(long bytes) {
        return bytes < GIBIBYTE
                ? String.format(Locale.ROOT, "%.0f MiB", bytes / MEBIBYTE)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) GIBIBYTE);
    }

    /** As a value of Spark's, rounded up to GiB. */
    public static String setting(long bytes) {
        return (bytes + GIBIBYTE - 1) / GIBIBYTE + "g";
    }
}
