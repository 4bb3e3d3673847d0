package io.github.rarspark.cli;

import io.github.rarspark.cli.demo.DemoJob;
import io.github.rarspark.cli.sweep.Sweep;
import io.github.rarspark.cli.weights.WeightsCommand;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.DecodeJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import io.github.rarspark.train.images.TrainClassifierJob;
import io.github.rarspark.train.images.TrainTokenizerJob;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/** The commands, in the order of --help. */
final class Commands {

    private static final JobDefinition.Variant SWEEP = new JobDefinition.Variant(
            Sweep.OPTION,
            "KEY=VALUE,...",
            "Compare values of a setting of sampling: generate and score images with each, and write a table and charts."
                    + " Repeatable, for all combinations. Needs --set fid.reference=URI and --set fid.features=..., as"
                    + " given to fid.",
            SweepStart::new);

    private static final List<JobDefinition> JOBS = List.of(
            new JobDefinition(
                    "demo",
                    "Tokenizes, trains, generates and scores on embedded data, and writes pictures and a report.",
                    "demo",
                    "demo",
                    List.of("image", "tokenizer", "tokenize", "model", "train", "generate", "fid"),
                    List.of("output"),
                    List.of(),
                    DemoJob::run),
            new JobDefinition(
                    "tokenize",
                    "Tokenizes images: class folders, tar files or Parquet of image bytes to Parquet of tokens. Converts .jsonl.",
                    "rar-b",
                    "tokenize",
                    List.of("image", "tokenizer", "model"),
                    List.of("output"),
                    List.of("input", "class_map", "tokenizer", "incremental", "max_bad", "check", "preview", "jsonl"),
                    TokenizeJob::run),
            new JobDefinition(
                    "train",
                    "Trains a RAR model on tokens, data-parallel over ranks; resumes an unfinished run.",
                    "rar-b",
                    "train",
                    List.of("model", "generate", "image"),
                    List.of("tokens", "output"),
                    List.of("init", "tokenizer", "ranks", "evaluate"),
                    TrainJob::run),
            new JobDefinition(
                    "generate",
                    "Samples images of given classes: Parquet shards, samples.npz and a picture grid.",
                    "rar-b",
                    "generate",
                    List.of("model", "image", "tokenizer"),
                    List.of("weights", "tokenizer", "output"),
                    List.of("ema", "count", "classes", "samples_per_class", "class_counts", "seed", "tokens", "png"),
                    GenerateJob::run,
                    Optional.of(SWEEP)),
            new JobDefinition(
                    "decode",
                    "Decodes tokens to images: Parquet shards, samples.npz and a picture grid.",
                    "rar-b",
                    "decode",
                    List.of("model", "image", "tokenizer"),
                    List.of("tokens", "tokenizer", "output"),
                    List.of("count", "png"),
                    DecodeJob::run),
            new JobDefinition(
                    "fid",
                    "Scores images against a reference with FID and related metrics.",
                    "rar-b",
                    "fid",
                    List.of(),
                    List.of("samples", "reference", "features", "output"),
                    List.of("floor", "max_bad"),
                    FidJob::run),
            new JobDefinition(
                    "train-tokenizer",
                    "Trains a small tokenizer on images, such as the demo's tokenizer.",
                    "demo",
                    "train_tokenizer",
                    List.of("image", "tokenizer"),
                    List.of("images", "output"),
                    List.of("max_bad"),
                    TrainTokenizerJob::run),
            new JobDefinition(
                    "train-classifier",
                    "Trains a small classifier, such as the demo's, whose features can score images.",
                    "demo",
                    "train_classifier",
                    List.of("image", "model"),
                    List.of("images", "output"),
                    List.of("max_bad"),
                    TrainClassifierJob::run));

    private Commands() {}

    /** @param stop asks the running job to end early */
    static List<CommandSpec> all(StopRequest stop) {
        return Stream.concat(
                        JOBS.stream().map(definition -> JobCommand.of(definition, stop)),
                        Stream.of(
                                        new WeightsCommand(),
                                        new BenchCommand(),
                                        new VerifyCommand(),
                                        new ResultCommand(),
                                        new DoctorCommand())
                                .map(CommandSpec::forAnnotatedObject))
                .toList();
    }
}
