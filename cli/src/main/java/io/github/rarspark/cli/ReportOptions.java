package io.github.rarspark.cli;

import io.github.rarspark.common.storage.Json;
import java.io.IOException;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options of a command that runs no job but reports something. */
@Command(mixinStandardHelpOptions = true, versionProvider = BuildVersion.class)
final class ReportOptions {

    @Option(
            names = "--json",
            paramLabel = "FILE",
            order = 100,
            description = "Also write the report to this file or URI.")
    String json;

    @Option(names = "--quiet", order = 101, description = "Print nothing but errors.")
    boolean quiet;

    /** Writes the report if a file was given. */
    void write(Object report) throws IOException {
        if (json != null) {
            RecipeSource.storage(new SparkConf(true)).putBytes(json, Json.pretty(report));
        }
    }
}
