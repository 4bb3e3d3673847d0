package io.github.rarspark.cli.weights;

import io.github.rarspark.cli.options.BuildVersion;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weights}: the commands that look at weight files and make others of them. */
@Command(
        name = "weights",
        mixinStandardHelpOptions = true,
        versionProvider = BuildVersion.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Looks at weight files, converts them, merges position tables.",
        subcommands = {WeightsInspect.class, WeightsConvert.class, WeightsMerge.class})
public final class WeightsCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}
