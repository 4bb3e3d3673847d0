package io.github.rarspark.cli;

import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/** The commands in the order of the help. */
final class Commands {

    private static final List<JobDefinition> JOBS = List.of(
            new JobDefinition(
                    "tokenize",
                    "Turns images into tokens: class folders, tar shards or Parquet of image bytes to token Parquet.",
                    "rar-b",
                    "tokenize",
                    List.of("output"),
                    List.of("input", "tokenizer", "max_bad", "check", "jsonl"),
                    TokenizeJob::run),
            new JobDefinition(
                    "train",
                    "Trains a RAR model on tokens, data-parallel over ranks; an unfinished run goes on where it ended.",
                    "rar-b",
                    "train",
                    List.of("tokens", "output"),
                    List.of("init", "tokenizer", "ranks"),
                    (session, recipe, quiet) -> new TrainJob(session, recipe, quiet).run()));

    private Commands() {}

    static List<CommandSpec> all() {
        return Stream.concat(
                        JOBS.stream().map(JobCommand::of),
                        Stream.of(new BenchCommand(), new VerifyCommand()).map(CommandSpec::forAnnotatedObject))
                .toList();
    }
}
