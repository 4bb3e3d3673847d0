package io.github.rarspark.cli.options;

import io.github.rarspark.common.storage.Json;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options of a command that writes a report without running a job. */
@Command(mixinStandardHelpOptions = true, versionProvider = BuildVersion.class)
public final class ReportOptions {

    @Option(
            names = "--json",
            paramLabel = "FILE",
            order = 100,
            description = "Also write the report to this file or URI.")
    private String json;

    @Option(names = "--quiet", order = 101, description = "Print only errors.")
    private boolean quiet;

    /** Whether to print only errors. */
    public boolean quiet() {
        return quiet;
    }

    /** Checks, before the work, that the report can be written, if a file was given. */
    public void requireWritable() throws IOException {
        if (json != null) {
            CommandStorage.open().requireWritable(json);
        }
    }

    /** Writes the report to the file, if one was given. */
    public void write(Object report) throws IOException {
        if (json != null) {
            CommandStorage.open().putBytes(json, Json.pretty(report));
        }
    }
}
