package io.github.rarspark.cli;

import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** {@code rar-spark train} of a tiny model by two local ranks, as a process. */
final class TrainingProcess {
    private static final String TOKENS = "tokens.jsonl";

    private TrainingProcess() {}

    static void writeTokens(Path folder) throws IOException {
        String lines = IntStream.range(0, 40)
                .mapToObj(i -> "{\"class_id\": " + i % 10 + ", \"tokens\": [" + i + ", 1, 2, " + (i + 7) + "]}\n")
                .collect(Collectors.joining());
        Files.writeString(folder.resolve(TOKENS), lines);
    }

    /** One on the tokens of {@code folder} that writes what it says to {@code err}. */
    static ProcessBuilder of(Path folder, Path output, Path err, String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "train",
                "--master",
                "local[2]",
                "--recipe",
                "demo",
                "--ranks",
                "2",
                "--tokens",
                folder.resolve(TOKENS).toString(),
                "--output",
                output.toString()));
        Stream.concat(
                        Stream.of(
                                "image.size=8",
                                "model.tokens=4",
                                "model.hidden=32",
                                "model.heads=4",
                                "model.mlp=64",
                                "model.layers=2",
                                "train.batch=8"),
                        Stream.of(settings))
                .forEach(setting -> arguments.addAll(List.of("--set", setting)));
        ProcessBuilder process = Jvm.of(List.of("-Xmx768m"), Main.class.getName(), arguments.toArray(String[]::new));
        process.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        return process.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile());
    }
}
