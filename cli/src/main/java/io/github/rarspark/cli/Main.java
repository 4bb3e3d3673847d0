package io.github.rarspark.cli;

import io.github.rarspark.cli.options.BuildVersion;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code rar-spark COMMAND [options]}, alone or as the main class of spark-submit. */
@Command(
        name = "rar-spark",
        description = "RAR image generation as a distributed Spark pipeline.",
        mixinStandardHelpOptions = true,
        versionProvider = BuildVersion.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "rar-spark COMMAND --help lists a command's options and recipe keys."})
public final class Main {

    private static final Logger LOG = LoggerFactory.getLogger(Main.class);

    private Main() {}

    /**
     * Runs a command and ends the process with an {@link ExitCode}. On success as well, because Spark's barrier timer
     * would keep the JVM alive. Only in YARN's application master, which treats any exit as a failure and ends by
     * itself, it returns.
     */
    public static void main(String[] args) {
        // Opts out of DJL's usage tracking; must be set before DJL is initialized.
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("java.awt.headless", "true");
        SubmittedLog.moveToFile(System.err);
        StopRequest stop = new StopRequest();
        Interruption interruption =
                Interruption.announcedOn(System.err, stop, () -> Torch.halt(ExitCode.INTERRUPTED.number()));
        int code = execute(
                Commands.all(stop),
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                interruption,
                args);
        interruption.commandEnded();
        if (code != ExitCode.OK.number() || !isInApplicationMaster()) {
            System.exit(code);
        }
    }

    private static boolean isInApplicationMaster() {
        return "yarn".equals(System.getProperty("spark.master"))
                && "cluster".equals(System.getProperty("spark.submit.deployMode"));
    }

    static int execute(
            List<CommandSpec> commands, PrintWriter out, PrintWriter err, Interruption interruption, String... args) {
        CommandLine commandLine = new CommandLine(new Main());
        commands.forEach(command -> commandLine.addSubcommand(command.name(), command));
        commandLine
                .setOut(out)
                .setErr(err)
                .setUsageHelpAutoWidth(true)
                .setUsageHelpLongOptionsMaxWidth(28)
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, arguments) -> {
                    err.println("rar-spark: " + UsageErrors.line(e));
                    return ExitCode.USAGE.number();
                })
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, err, interruption));
        commandLine.setExecutionStrategy(Main::runCommand);
        try {
            return commandLine.execute(args);
        } catch (Error e) {
            // Picocli handles only exceptions; an Error escaping from main would leave Spark's threads running.
            return failed(e, err, interruption);
        }
    }

    private static int runCommand(ParseResult parsed) {
        if (!parsed.hasSubcommand() && !parsed.isUsageHelpRequested() && !parsed.isVersionHelpRequested()) {
            CommandLine commandLine = parsed.commandSpec().commandLine();
            commandLine.usage(commandLine.getOut());
            throw new CommandLine.ParameterException(commandLine, "Missing command");
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static int failed(Throwable failure, PrintWriter err, Interruption interruption) {
        ExitCode code = interruption.happened() ? ExitCode.INTERRUPTED : Failures.exitCode(failure);
        LOG.error("rar-spark exits with {} ({})", code.number(), code, failure);
        if (code != ExitCode.INTERRUPTED) {
            err.println("rar-spark: " + Failures.message(failure) + (code == ExitCode.INTERNAL ? logHint() : ""));
        }
        return code.number();
    }

    private static String logHint() {
        String file = System.getProperty("rar.log");
        return file == null ? " (the stack trace is in the driver's log)" : " (the stack trace is in " + file + ")";
    }
}
