package io.github.rarspark.cli.weights;

import io.github.rarspark.cli.options.BuildVersion;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weights}: inspects and converts weight files. */
@Command(
        name = "weights",
        mixinStandardHelpOptions = true,
        versionProvider = BuildVersion.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Inspects and converts weight files, merges position tables.",
        subcommands = {WeightsInspect.class, WeightsConvert.class, WeightsMerge.class})
public final class WeightsCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}
