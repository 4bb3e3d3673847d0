package io.github.rarspark.cli;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code result}: how a command ended, told by what it wrote. */
@Command(name = "result", sortOptions = false, description = "Prints how a command ended, and exits as it did.")
final class ResultCommand implements Callable<Integer> {
    static final String NAME = "result";

    private static final Logger LOG = LoggerFactory.getLogger(ResultCommand.class);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Parameters(
            paramLabel = "URI",
            description = "An output, or the file that --json or spark.rarspark.result named to the command.")
    private String uri;

    @Option(
            names = "--submitted",
            order = 1,
            description =
                    "The file is spark.rarspark.result of a driver that has ended: delete it, and exit with 70 if it"
                            + " cannot be read.")
    private boolean submitted;

    @Override
    public Integer call() throws IOException {
        Storage storage = CommandStorage.open();
        JobResult result = submitted ? take(storage) : read(storage);
        options.write(result);
        if (result.exitCode() != ExitCode.OK.number()) {
            result.warnings().forEach(line -> spec.commandLine().getErr().println("rar-spark: " + line));
        } else if (!options.quiet()) {
            Summary.print(result, spec.commandLine().getOut());
        }
        return result.exitCode();
    }

    private JobResult read(Storage storage) throws IOException {
        String file = storage.isDirectory(uri) ? Storage.child(uri, JobResult.NAME) : uri;
        try {
            return storage.readJson(file, JobResult.class);
        } catch (FileNotFoundException e) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot tell how the command ended: " + file
                            + " does not exist; it runs still, or was refused before"
                            + " it claimed the output, or was killed",
                    e);
        }
    }

    /** A code of this command's own would pass for the driver's. */
    private JobResult take(Storage storage) {
        try {
            JobResult result = storage.readJson(uri, JobResult.class);
            delete(storage);
            return result;
        } catch (FileNotFoundException e) {
            throw new JobException(
                    ExitCode.INTERNAL,
                    "Cannot tell how the driver ended: it wrote nothing to " + uri
                            + "; it did not start, or cannot write there",
                    e);
        } catch (IOException | RuntimeException e) {
            throw new JobException(ExitCode.INTERNAL, "Cannot tell how the driver ended: " + Failures.message(e), e);
        }
    }

    private void delete(Storage storage) {
        try {
            storage.delete(uri);
        } catch (IOException e) {
            LOG.warn("Cannot delete {}, which is of no more use", uri, e);
        }
    }
}
