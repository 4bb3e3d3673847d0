package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.util.Locale;
import java.util.OptionalLong;

/** Checks before a job writes anything. */
public final class PreFlight {
    /** With less, a device counts as full: plan, heartbeats and result are small, but a block each. */
    private static final long LEAST_BYTES = 1 << 20;

    private static final double MEGABYTE = 1e6;

    private PreFlight() {}

    /**
     * Checks that an input exists and is a file or a folder.
     *
     * @param option the option that names it, such as {@code --tokens}
     * @throws JobException {@link ExitCode#NO_INPUT} if it does not
     */
    public static void requireInput(Storage storage, String option, String path) throws IOException {
        if (!storage.exists(path)) {
            throw new JobException(ExitCode.NO_INPUT, "Cannot read " + option + " " + path + ": it does not exist");
        }
        if (storage.isSpecial(path)) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it is a device or a pipe; write it to a file first");
        }
    }

    /**
     * Checks that output and input are different and neither contains the other.
     *
     * @throws JobException {@link ExitCode#USAGE} if they overlap
     */
    public static void requireApart(Storage storage, String option, String input, String output) throws IOException {
        String in = withSlash(storage.qualify(input));
        String out = withSlash(storage.qualify(output));
        if (out.startsWith(in) || in.startsWith(out)) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot write to --output " + output + ": it overlaps " + option + " " + input
                            + "; choose a directory outside it");
        }
    }

    /**
     * The output's device has room for {@code bytes} more, and for the files that every job writes.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if it has not
     */
    public static void requireSpace(Storage storage, String output, long bytes) throws IOException {
        OptionalLong space = storage.space(output);
        long needed = Math.max(bytes, LEAST_BYTES);
        if (space.isPresent() && space.getAsLong() < needed) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    String.format(
                            Locale.ROOT,
                            "Cannot write to --output %s: it takes %.1f MB or more, and %.1f MB are free there; free"
                                    + " some"
                                    + " space or choose another place, then run again",
                            output,
                            needed / MEGABYTE,
                            space.getAsLong() / MEGABYTE));
        }
    }

    private static String withSlash(String uri) {
        return uri.endsWith("/") ? uri : uri + "/";
    }
}
