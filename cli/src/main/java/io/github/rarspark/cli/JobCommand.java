package io.github.rarspark.cli;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.BadLimit;
import io.github.rarspark.conf.Key;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Spec;

/** Runs a job: options to recipe, recipe to session, session to result, result to the user. */
@Command
final class JobCommand implements Callable<JobResult> {

    /** The recipe sections that apply to all jobs. */
    private static final List<String> FRAME = List.of("compute", "claim", "spark");

    @Spec
    private CommandSpec spec;

    @Mixin
    private CommonOptions common;

    private final JobDefinition definition;
    private final StopRequest stop;

    private JobCommand(JobDefinition definition, StopRequest stop) {
        this.definition = definition;
        this.stop = stop;
    }

    /** Creates the command of a definition; its options come from the recipe keys. */
    static CommandSpec of(JobDefinition definition, StopRequest stop) {
        CommandSpec spec = CommandSpec.forAnnotatedObject(new JobCommand(definition, stop));
        spec.name(definition.name());
        UsageMessageSpec usage = spec.usageMessage()
                .description(definition.summary())
                .abbreviateSynopsis(true)
                .sortOptions(false)
                .footer("", "docs/recipes.md lists the keys of all sections.");
        List<String> sections = new ArrayList<>(usage.sectionKeys());
        sections.add(sections.indexOf(UsageMessageSpec.SECTION_KEY_FOOTER), "recipeKeys");
        usage.sectionKeys(sections);
        usage.sectionMap().put("recipeKeys", help -> recipeKeys(definition, help));
        Stream.concat(definition.required().stream(), definition.options().stream())
                .forEach(name -> spec.addOption(option(Recipe.KEYS.named(definition.key(name)), name)));
        definition.variant().ifPresent(variant -> spec.addOption(option(variant)));
        return spec;
    }

    /** Runs the job; its result means exit code 0. */
    @Override
    public JobResult call() throws Exception {
        SparkConf sparkConf = new SparkConf(true);
        Recipe recipe = RecipeSource.resolve(
                commandLine(), sparkConf, Optional.ofNullable(common.recipe).orElse(definition.recipe()));
        recipe.requireGiven(
                definition.name(),
                definition.required().stream().map(definition::key).toArray(String[]::new));
        JobDefinition.Start job = job(recipe);
        Storage storage = CommandStorage.of(sparkConf);
        if (common.json != null) {
            storage.requireWritable(common.json);
        }
        Instant started = Instant.now();
        JobResult result;
        String details = "";
        String appName = "rar-spark " + definition.name();
        try (SparkSession session = SparkSessions.open(appName, recipe.spark(), recipe.compute(), Map.of())) {
            JobContext context = JobContext.of(session, recipe, common.quiet, stop);
            StageResources.notice(session, context.device()).ifPresent(context::say);
            result = job.run(context);
            if (common.json != null) {
                storage.putBytes(common.json, Json.pretty(result));
            }
            if (!common.quiet) {
                details = job.details(context);
            }
        }
        if (!common.quiet) {
            print(result, started, spec.commandLine().getOut());
            spec.commandLine().getOut().print(details);
            spec.commandLine().getOut().flush();
        }
        return result;
    }

    /** The job to run: the definition's, or its variant if the variant's option is given. */
    private JobDefinition.Start job(Recipe recipe) {
        return definition
                .variant()
                .flatMap(variant -> Optional.<List<String>>ofNullable(
                                spec.optionsMap().get(variant.option()).getValue())
                        .map(values -> variant.job().apply(values, recipe)))
                .orElse(definition.job());
    }

    private Map<String, String> commandLine() {
        Map<String, String> values = new LinkedHashMap<>(common.set);
        Stream.concat(definition.required().stream(), definition.options().stream())
                .forEach(name -> {
                    Object value = spec.optionsMap().get(optionName(name)).getValue();
                    if (value != null) {
                        values.put(definition.key(name), value.toString());
                    }
                });
        if (common.device != null) {
            values.put("compute.device", common.device);
        }
        if (common.master != null) {
            values.put("spark.master", common.master);
        }
        return values;
    }

    private static OptionSpec option(Key key, String name) {
        List<String> names = new ArrayList<>(List.of(optionName(name)));
        if (name.equals("output")) {
            names.add("--out");
        }
        OptionSpec.Builder option =
                OptionSpec.builder(names.toArray(String[]::new)).description(escape(key.description()));
        return key.type() == boolean.class
                ? option.type(Boolean.class).arity("0").build()
                : option.type(String.class).arity("1").paramLabel(label(key)).build();
    }

    private static OptionSpec option(JobDefinition.Variant variant) {
        return OptionSpec.builder(variant.option())
                .type(List.class)
                .auxiliaryTypes(String.class)
                .arity("1")
                .paramLabel(variant.label())
                .description(escape(variant.description()))
                .build();
    }

    private static String label(Key key) {
        if (key.type() == String.class) {
            return "URI";
        }
        if (key.type() == BadLimit.class) {
            return "N|SHARE";
        }
        return key.type() == List.class ? "N,N,..." : "N";
    }

    /** The keys of the sections that the job reads, with their default values. */
    private static String recipeKeys(JobDefinition definition, Help help) {
        Recipe recipe = Recipes.load(definition.recipe());
        Map<String, String> rows = new LinkedHashMap<>();
        Stream.of(Stream.of(definition.section()), definition.others().stream(), FRAME.stream(), Stream.of(""))
                .flatMap(sections -> sections)
                .flatMap(section ->
                        Recipe.KEYS.all().stream().filter(key -> key.section().equals(section)))
                .forEach(key -> rows.put("  " + key.name() + "=" + recipe.get(key.name()), escape(key.description())));
        return String.format(
                "%nRecipe keys for --set, with their values in the default recipe, %s:%n%s",
                definition.recipe(), help.createTextTable(rows));
    }

    /** The result is an earlier run's if it began before this one did. */
    private void print(JobResult result, Instant started, PrintWriter out) {
        if (result.started().isBefore(started)) {
            String check =
                    definition.options().contains("check") ? "; " + definition.name() + " --check verifies them" : "";
            out.printf(
                    "%s: already finished at %s; its files are not verified%s%n",
                    result.command(), result.ended(), check);
            Summary.printNumbers(result, out);
        } else {
            Summary.print(result, out);
        }
    }

    private static String optionName(String key) {
        return "--" + key.replace('_', '-');
    }

    private static String escape(String text) {
        return text.replace("%", "%%");
    }
}
