package io.github.rarspark.cli;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import java.util.List;

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
 */
record JobDefinition(
        String name,
        String summary,
        String recipe,
        String section,
        List<String> others,
        List<String> required,
        List<String> options,
        Start job) {

    /** Starts a job from a complete recipe. */
    @FunctionalInterface
    interface Start {
        /** Runs the job to completion. */
        JobResult run(JobContext context) throws Exception;
    }

    /** The full name of a key of the section. */
    String key(String name) {
        return section + "." + name;
    }
}
