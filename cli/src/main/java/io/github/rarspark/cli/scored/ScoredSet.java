package io.github.rarspark.cli.scored;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import java.io.IOException;
import java.util.Map;

/**
 * The results of a set of images.
 *
 * @param samples of the job that generated it
 * @param score of the job that scored it
 */
public record ScoredSet(JobResult samples, JobResult score) {

    /**
     * A recipe that generates a set and scores it.
     *
     * @param recipe has the other settings of both jobs
     * @param samples output of generate
     * @param score output of fid
     * @param features folder of cached features, the reference's among them
     */
    public static Recipe recipe(Recipe recipe, String samples, String score, String features) {
        return recipe.with(Map.of(
                "generate.output", samples,
                "fid.samples", samples,
                "fid.output", score,
                "fid.cache", features));
    }

    /** Generates and scores a set; does what is missing of both. */
    public static ScoredSet make(JobContext context) throws IOException {
        return new ScoredSet(GenerateJob.run(context), FidJob.run(context));
    }
}
