package io.github.rarspark.cli;

import io.github.rarspark.cli.options.BuildVersion;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
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
        Optional<DriverResult> submitter = DriverResult.ofDriver(args.length == 0 ? "" : args[0], System.err);
        submitter.ifPresent(DriverResult::begin);
        Ending ending = run(
                Commands.all(stop),
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                interruption,
                args);
        submitter.ifPresent(result -> result.end(ending.result(), ExitCode.of(ending.code()), ending.message()));
        interruption.commandEnded();
        if (ending.code() != ExitCode.OK.number() || !isInApplicationMaster()) {
            System.exit(ending.code());
        }
    }

    private static boolean isInApplicationMaster() {
        return "yarn".equals(System.getProperty("spark.master"))
                && "cluster".equals(System.getProperty("spark.submit.deployMode"));
    }

    static int execute(
            List<CommandSpec> commands, PrintWriter out, PrintWriter err, Interruption interruption, String... args) {
        return run(commands, out, err, interruption, args).code();
    }

    /**
     * How a command ended.
     *
     * @param message the line about a failure, else empty
     * @param result of a job that is done
     */
    record Ending(int code, String message, Optional<JobResult> result) {}

    static Ending run(
            List<CommandSpec> commands, PrintWriter out, PrintWriter err, Interruption interruption, String... args) {
        CommandLine commandLine = new CommandLine(new Main());
        commands.forEach(command -> commandLine.addSubcommand(command.name(), command));
        StringBuilder message = new StringBuilder();
        commandLine
                .setOut(out)
                .setErr(err)
                .setUsageHelpAutoWidth(true)
                .setUsageHelpLongOptionsMaxWidth(28)
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, arguments) -> {
                    message.append(UsageErrors.line(e));
                    return ExitCode.USAGE.number();
                })
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, message, interruption));
        commandLine.setExecutionStrategy(Main::runCommand);
        int code;
        try {
            code = commandLine.execute(args);
        } catch (Error e) {
            // Picocli handles only exceptions; an Error escaping from main would leave Spark's threads running.
            code = failed(e, message, interruption);
        }
        // Whoever interrupted it knows, and was told what to do.
        if (!message.isEmpty() && code != ExitCode.INTERRUPTED.number()) {
            err.println("rar-spark: " + message);
        }
        return new Ending(code, message.toString(), result(commandLine));
    }

    private static Optional<JobResult> result(CommandLine commandLine) {
        return Stream.iterate(commandLine.getParseResult(), Objects::nonNull, ParseResult::subcommand)
                .map(parsed -> parsed.commandSpec().commandLine().<Object>getExecutionResult())
                .filter(JobResult.class::isInstance)
                .map(JobResult.class::cast)
                .findFirst();
    }

    private static int runCommand(ParseResult parsed) {
        if (!parsed.hasSubcommand() && !parsed.isUsageHelpRequested() && !parsed.isVersionHelpRequested()) {
            CommandLine commandLine = parsed.commandSpec().commandLine();
            commandLine.usage(commandLine.getOut());
            throw new CommandLine.ParameterException(commandLine, "Missing command");
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static int failed(Throwable failure, StringBuilder message, Interruption interruption) {
        ExitCode code = interruption.happened() ? ExitCode.INTERRUPTED : Failures.exitCode(failure);
        LOG.error("rar-spark exits with {} ({})", code.number(), code, failure);
        message.append(
                        code == ExitCode.INTERRUPTED
                                ? "Interrupted; run the same command to resume"
                                : Failures.message(failure))
                .append(code == ExitCode.INTERNAL ? logHint() : "");
        return code.number();
    }

    private static String logHint() {
        String file = System.getProperty("rar.log");
        return file == null ? " (the stack trace is in the driver's log)" : " (the stack trace is in " + file + ")";
    }
}
