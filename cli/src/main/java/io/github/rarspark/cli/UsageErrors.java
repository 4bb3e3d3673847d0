package io.github.rarspark.cli;

import io.github.rarspark.conf.Near;
import java.util.Collection;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Describes a command-line error in one line. */
final class UsageErrors {

    private UsageErrors() {}

    static String line(ParameterException e) {
        CommandLine command = e.getCommandLine();
        String help = "; see " + command.getCommandSpec().qualifiedName() + " --help";
        if (!(e instanceof UnmatchedArgumentException unmatched)
                || unmatched.getUnmatched().isEmpty()) {
            return firstLine(e) + help;
        }
        String argument = unmatched.getUnmatched().get(0);
        boolean option = argument.startsWith("-");
        boolean commandExpected = !option && !command.getSubcommands().isEmpty();
        String name = option && argument.contains("=") ? argument.substring(0, argument.indexOf('=')) : argument;
        Collection<String> names = commandExpected
                ? command.getSubcommands().keySet()
                : command.getCommandSpec().optionsMap().keySet();
        String what = option ? "Unknown option " : commandExpected ? "Unknown command " : "Unexpected argument ";
        String near = option || commandExpected ? Near.clause(name, names) : "";
        return what + name + (near.isEmpty() ? help : near);
    }

    private static String firstLine(ParameterException e) {
        // Picocli says it twice if the value of a map lacks its "=".
        return e.getMessage().lines().findFirst().orElse("wrong usage").replace("option option", "option");
    }
}
