package io.github.rarspark.cli;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** The commands in the order of the help. */
final class Commands {

    private Commands() {}

    static List<CommandSpec> all() {
        return List.of(
                CommandSpec.forAnnotatedObject(new BenchCommand()),
                CommandSpec.forAnnotatedObject(new VerifyCommand()));
    }
}
