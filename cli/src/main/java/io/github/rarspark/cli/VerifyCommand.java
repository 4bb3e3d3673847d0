package io.github.rarspark.cli;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.kernel.golden.CaseResult;
import io.github.rarspark.kernel.golden.Check;
import io.github.rarspark.kernel.golden.GoldenRun;
import io.github.rarspark.kernel.golden.GoldenSuite;
import io.github.rarspark.kernel.tensor.Precision;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code verify}: computes golden cases and compares the results. */
@Command(
        name = "verify",
        sortOptions = false,
        description = "Compares every golden case with the results of the public implementations.")
final class VerifyCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Option(
            names = "--golden",
            paramLabel = "DIR",
            order = 1,
            required = true,
            description = "Folder with golden cases, searched recursively.")
    private Path golden;

    @Option(
            names = "--device",
            paramLabel = "D",
            order = 2,
            defaultValue = "cpu",
            description = "cpu, gpu (the first) or gpu:N (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--precision",
            paramLabel = "P",
            order = 3,
            defaultValue = "fp32",
            description = "fp32, or bf16 for mixed precision with wider tolerances (default: ${DEFAULT-VALUE}).")
    private String precision;

    /**
     * The JSON report.
     *
     * @param cases in the order of their names
     * @param passed whether all cases passed
     */
    record Report(List<CaseResult> cases, boolean passed) {}

    @Override
    public Integer call() throws IOException {
        if (!Files.isDirectory(golden)) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read --golden " + golden + ": no such folder; give one with golden cases");
        }
        options.requireWritable();
        List<CaseResult> cases;
        Precision computed = Compute.precision(precision);
        try (NDManager manager = NDManager.newBaseManager(Compute.device(device))) {
            cases = GoldenSuite.run(golden, new GoldenRun(manager, computed));
        }
        List<String> failed = cases.stream()
                .filter(one -> !one.passed())
                .map(CaseResult::name)
                .toList();
        options.write(new Report(cases, failed.isEmpty()));
        if (!options.quiet()) {
            print(cases, spec.commandLine().getOut());
        }
        if (!failed.isEmpty()) {
            throw new JobException(
                    ExitCode.INTERNAL,
                    "Cannot reproduce " + failed.size() + " of " + cases.size() + " golden cases: "
                            + String.join(", ", failed));
        }
        return ExitCode.OK.number();
    }

    private static void print(List<CaseResult> cases, PrintWriter out) {
        out.printf("%-24s %-8s %-36s %12s %12s%n", "case", "kind", "check", "max error", "tolerance");
        for (CaseResult one : cases) {
            for (Check check : one.checks()) {
                out.printf(
                        Locale.ROOT,
                        "%-24s %-8s %-36s %12.3g %12.3g%s%n",
                        one.name(),
                        one.kind(),
                        check.name(),
                        check.maxError(),
                        check.tolerance(),
                        check.passed() ? "" : "  FAILED");
            }
        }
    }
}
