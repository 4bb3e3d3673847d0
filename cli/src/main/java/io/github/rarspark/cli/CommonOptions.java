package io.github.rarspark.cli;

import io.github.rarspark.cli.options.BuildVersion;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options of all jobs. */
@Command(mixinStandardHelpOptions = true, versionProvider = BuildVersion.class)
final class CommonOptions {

    @Option(
            names = "--recipe",
            paramLabel = "NAME|FILE|URI",
            order = 100,
            description = "Recipe to run: the name of a shipped one, a file or a URI.")
    String recipe;

    @Option(names = "--set", paramLabel = "KEY=VALUE", order = 101, description = "Set a recipe key; repeatable.")
    Map<String, String> set = new LinkedHashMap<>();

    @Option(
            names = "--master",
            paramLabel = "URL",
            order = 102,
            description = "Spark master: local[N], yarn, k8s://..., spark://... (default: spark-submit's or local[*]).")
    String master;

    @Option(
            names = "--device",
            paramLabel = "cpu|gpu",
            order = 103,
            description =
                    "Where tasks compute (default: gpu if the Spark configuration gives every task a GPU, else cpu).")
    String device;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            order = 104,
            description = "Also write the result to this file or URI.")
    String json;

    @Option(names = "--quiet", order = 105, description = "Print neither progress nor a summary.")
    boolean quiet;
}
