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
 * @param others the other sections that the job reads, in the order of the help
 * @param required keys of the section that have to be given
 * @param options other keys of the section that are options of the command
 * @param job what it runs
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
        /** Runs the job to its end. */
        JobResult run(JobContext context) throws Exception;
    }

    /** The dotted name of a key of the section. */
    String key(String name) {
        return section + "." + name;
    }
}
