package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.CommandSpec;

class CommandsTest {

    static List<String> names() {
        return Commands.all(new StopRequest()).stream().map(CommandSpec::name).toList();
    }

    /** Every command that does something, with its group's name in front. */
    static List<String> leaves() {
        return Commands.all(new StopRequest()).stream()
                .flatMap(command -> command.subcommands().isEmpty()
                        ? Stream.of(command.name())
                        : command.subcommands().keySet().stream().map(name -> command.name() + " " + name))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("leaves")
    void everyCommandExplainsItself(String name) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
        int code;
        try {
            code = Main.execute(
                    Commands.all(new StopRequest()),
                    new PrintWriter(out, true),
                    new PrintWriter(err, true),
                    Interruption.none(),
                    (name + " --help").split(" "));
        } finally {
            System.setErr(before);
        }
        assertThat(told.toString(StandardCharsets.UTF_8))
                .as("what picocli cannot format")
                .isEmpty();
        assertThat(code).as(err::toString).isZero();
        assertThat(out.toString()).contains("Usage: rar-spark " + name, "--json", "--quiet");
    }

    @ParameterizedTest
    @CsvSource({
        "demo, image tokenizer tokenize model train generate fid demo",
        "tokenize, image tokenizer model tokenize",
        "train, model train generate image",
        "generate, model image tokenizer generate",
        "decode, model image tokenizer decode",
        "fid, fid",
        "train-tokenizer, image tokenizer train_tokenizer",
        "train-classifier, image model train_classifier"
    })
    void theHelpOfAJobListsTheSectionsThatItReads(String name, String sections) {
        StringWriter out = new StringWriter();
        Main.execute(
                Commands.all(new StopRequest()),
                new PrintWriter(out, true),
                new PrintWriter(out, true),
                Interruption.none(),
                name,
                "--help");
        Set<String> listed = Pattern.compile("^ +(?:(\\w+)\\.)?\\w+=", Pattern.MULTILINE)
                .matcher(out.toString())
                .results()
                .map(key -> String.valueOf(key.group(1)))
                .collect(Collectors.toSet());
        Set<String> expected = new HashSet<>(List.of(sections.split(" ")));
        expected.addAll(List.of("compute", "claim", "spark", "null"));
        assertThat(listed).isEqualTo(expected);
    }

    @Test
    void commandsOfTheManualExist() {
        assertThat(names())
                .containsExactlyInAnyOrder(
                        "demo",
                        "tokenize",
                        "train",
                        "generate",
                        "decode",
                        "fid",
                        "train-tokenizer",
                        "train-classifier",
                        "weights",
                        "bench",
                        "verify",
                        "result",
                        "doctor");
    }
}
