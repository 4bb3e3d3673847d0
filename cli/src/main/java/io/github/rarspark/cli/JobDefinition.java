package io.github.rarspark.cli;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Recipe;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * A command that runs a job on Spark from a recipe.
 *
 * @param name of the command
 * @param summary one sentence for the help
 * @param recipe the shipped recipe that is used unless {@code --recipe} names another
 * @param section the section of the recipe whose keys are options
 * @param others the other sections that the job reads, in the order of --help
 * @param required required keys of the section
 * @param options other keys of the section that are command-line options
 * @param job starts the job
 * @param variant the other job that the command can run
 */
record JobDefinition(
        String name,
        String summary,
        String recipe,
        String section,
        List<String> others,
        List<String> required,
        List<String> options,
        Start job,
        Optional<Variant> variant) {

    /** A command that runs one job. */
    JobDefinition(
            String name,
            String summary,
            String recipe,
            String section,
            List<String> others,
            List<String> required,
            List<String> options,
            Start job) {
        this(name, summary, recipe, section, others, required, options, job, Optional.empty());
    }

    /** Starts a job from a complete recipe. */
    @FunctionalInterface
    interface Start {
        /** Runs the job to completion. */
        JobResult run(JobContext context) throws Exception;

        /** Lines that are printed after the result of a job that is done. */
        default String details(JobContext context) throws Exception {
            return "";
        }
    }

    /**
     * A repeatable option that is not a recipe key. If it is given, the command runs another job.
     *
     * @param option its name
     * @param label of its values
     * @param description for the help
     * @param job makes a job of the values and the recipe; checks them before a session is opened
     */
    record Variant(String option, String label, String description, BiFunction<List<String>, Recipe, Start> job) {}

    /** The full name of a key of the section. */
    String key(String name) {
        return section + "." + name;
    }
}
