package io.github.rarspark.cli;

import io.github.rarspark.cli.doctor.Doctor;
import io.github.rarspark.cli.doctor.DoctorReport;
import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Near;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.RecipeException;
import java.time.Clock;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code doctor}: examines whether a job can run on the cluster or machine, with a Spark job of its own. */
@Command(
        name = "doctor",
        sortOptions = false,
        description =
                "Examines whether a job can run here: versions, libtorch, memory, slots, GPUs, ports, disks, storage.",
        footer = {"", "It takes the recipe, settings and options of the job. docs/doctor.md describes the checks."})
final class DoctorCommand implements Callable<Integer> {
    private static final String DEFAULT_RECIPE = "rar-b";

    @Spec
    private CommandSpec spec;

    @Mixin
    private CommonOptions common;

    @Option(
            names = "--command",
            paramLabel = "NAME",
            order = 1,
            defaultValue = "train",
            description = "The job: tokenize, train, generate or fid (default: ${DEFAULT-VALUE}).")
    private String command;

    @Option(
            names = {"--output", "--out"},
            paramLabel = "URI",
            order = 2,
            description = "Where the job is to write; doctor writes some objects there and deletes them.")
    private String output;

    @Option(names = "--ranks", paramLabel = "N", order = 3, description = "Ranks of the training (train.ranks).")
    private String ranks;

    @Option(names = "--tokens", paramLabel = "URI", order = 4, description = "Tokens of the training (train.tokens).")
    private String tokens;

    @Override
    public Integer call() throws Exception {
        Workload workload = Workload.of(command).orElseThrow(() -> unknown(command));
        SparkConf sparkConf = new SparkConf(true);
        Recipe recipe = RecipeSource.resolve(
                commandLine(), sparkConf, Optional.ofNullable(common.recipe).orElse(DEFAULT_RECIPE));
        Storage storage = CommandStorage.of(sparkConf);
        if (common.json != null) {
            storage.requireWritable(common.json);
        }
        DoctorReport report;
        try (SparkSession session =
                SparkSessions.open("rar-spark doctor", recipe.spark(), recipe.compute(), Doctor.SETTINGS)) {
            JobContext context = JobContext.of(session, recipe, common.quiet);
            String folder = output == null ? workload.output(recipe) : output;
            report = new Doctor(context, workload, folder, Clock.systemUTC()).examine();
        }
        if (common.json != null) {
            storage.putBytes(common.json, Json.pretty(report));
        }
        if (!common.quiet) {
            spec.commandLine().getOut().println(report.text());
        }
        if (!report.passed()) {
            throw new JobException(ExitCode.UNAVAILABLE, "Cannot " + command + " here: " + report.fixes());
        }
        return ExitCode.OK.number();
    }

    private static RecipeException unknown(String command) {
        List<String> known =
                Arrays.stream(Workload.values()).map(Workload::command).toList();
        String near = Near.clause(command, known);
        return new RecipeException(
                "Unknown --command " + command + (near.isEmpty() ? ": give one of " + String.join(", ", known) : near));
    }

    private Map<String, String> commandLine() {
        Map<String, String> values = new LinkedHashMap<>(common.set);
        put(values, "train.ranks", ranks);
        put(values, "train.tokens", tokens);
        put(values, "compute.device", common.device);
        put(values, "spark.master", common.master);
        return values;
    }

    private static void put(Map<String, String> values, String key, String value) {
        if (value != null) {
            values.put(key, value);
        }
    }
}
