package io.github.rarspark.cli;

import io.github.rarspark.cli.options.BuildVersion;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options that all jobs have. */
@Command(mixinStandardHelpOptions = true, versionProvider = BuildVersion.class)
final class CommonOptions {

    @Option(
            names = "--recipe",
            paramLabel = "NAME|FILE|URI",
            order = 100,
            description = "Recipe to run, a shipped one by its name.")
    String recipe;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            order = 101,
            description = "Value of a recipe key; may be repeated.")
    Map<String, String> set = new LinkedHashMap<>();

    @Option(
            names = "--master",
            paramLabel = "URL",
            order = 102,
            description = "Spark master: local[N], yarn, k8s://..., spark://... (default: spark-submit's or local[*]).")
    String master;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            order = 103,
            description = "Also write the result to this file or URI.")
    String json;

    @Option(names = "--quiet", order = 104, description = "Show no progress and no summary.")
    boolean quiet;
}
