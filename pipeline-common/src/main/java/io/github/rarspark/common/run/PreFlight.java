package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;

/** What a job checks before it writes anything. */
public final class PreFlight {
    private PreFlight() {}

    /**
     * An input is there.
     *
     * @param option the option that names it, such as {@code --tokens}
     * @throws JobException {@link ExitCode#NO_INPUT} if it is not
     */
    public static void requireInput(Storage storage, String option, String path) throws IOException {
        if (!storage.exists(path)) {
            throw new JobException(ExitCode.NO_INPUT, "Cannot read " + option + " " + path + ": it does not exist");
        }
    }

    /**
     * The output is not the input, nor inside it, nor around it.
     *
     * @throws JobException {@link ExitCode#USAGE} if it is
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

    private static String withSlash(String uri) {
        return uri.endsWith("/") ? uri : uri + "/";
    }
}
