package io.github.rarspark.cli;

import io.github.rarspark.cli.sweep.Sweep;
import io.github.rarspark.cli.sweep.SweepJob;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.util.List;

/** Starts {@code generate --sweep}, and prints its table. */
record SweepStart(Sweep sweep) implements JobDefinition.Start {

    /** @throws io.github.rarspark.conf.RecipeException if the options cannot be used with the recipe */
    SweepStart(List<String> options, Recipe recipe) {
        this(Sweep.of(options, recipe));
    }

    @Override
    public JobResult run(JobContext context) throws IOException {
        return SweepJob.run(context, sweep);
    }

    @Override
    public String details(JobContext context) throws IOException {
        return SweepJob.table(context, sweep);
    }
}
