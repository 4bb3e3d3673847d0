package io.github.rarspark.cli;

import io.github.rarspark.cli.Scripts.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A made-up checkout with the launcher, and only fakes and a few basic tools on the PATH.
 *
 * @param folder holds all of it
 */
record Checkout(Path folder, Path home, Scripts scripts) {
    private static final List<String> TOOLS = List.of(
            "awk",
            "bash",
            "cat",
            "date",
            "dirname",
            "env",
            "find",
            "flock",
            "head",
            "mkdir",
            "readlink",
            "sed",
            "sort",
            "sleep",
            "tail",
            "timeout",
            "touch");

    /** One on Linux whose Maven makes an empty jar and whose Java prints its arguments. */
    static Checkout in(Path folder) throws IOException {
        Checkout checkout = new Checkout(folder, folder.resolve("a check out"), new Scripts(folder, TOOLS));
        checkout.make();
        return checkout;
    }

    private void make() throws IOException {
        Path launcher = home.resolve("bin/rar-spark");
        Files.createDirectories(launcher.getParent());
        Files.copy(Path.of("..", "bin", "rar-spark"), launcher);
        Path variables = home.resolve("deploy/gpu/libtorch.env");
        Files.createDirectories(variables.getParent());
        Files.copy(Path.of("..", "deploy", "gpu", "libtorch.env"), variables);
        write(home.resolve("pom.xml"), "<project/>");
        write(home.resolve("cli/src/main/java/Main.java"), "class Main {}");
        platform("Linux", "x86_64", "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36");
        scripts.fake(
                "java",
                "[[ $1 == -version ]] && { echo 'openjdk version \"17.0.15\"' >&2; exit; }; printf '%s\\n' \"$@\"");
        scripts.fake(
                "mvn",
                "echo \"$*\" >> '%1$s'; mkdir -p '%2$s'; touch '%2$s/rar-spark.jar'"
                        .formatted(folder.resolve("mvn-calls"), home.resolve("cli/target")));
    }

    /** Makes it run on another system. */
    void platform(String system, String machine, String ldd) throws IOException {
        scripts.fake("uname", "[[ $1 == -s ]] && echo " + system + " || echo " + machine);
        scripts.fake("ldd", "echo '" + ldd + "'");
    }

    /** Writes a file and the folders on the way to it. */
    static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** Runs the launcher. */
    Run run(String... args) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(home.resolve("bin/rar-spark").toString()));
        command.addAll(List.of(args));
        return scripts.run(command.toArray(String[]::new));
    }

    private static final List<String> LIBTORCH = List.of(
            "PYTORCH_LIBRARY_PATH=%s/torch/lib",
            "PYTORCH_VERSION=2.7.1",
            "PYTORCH_FLAVOR=cu128",
            "LD_LIBRARY_PATH=%s/lib:/usr/local/nvidia/lib64",
            "CUDA_DEVICE_ORDER=PCI_BUS_ID",
            "CUBLAS_WORKSPACE_CONFIG=:4096:8");

    /** A folder like those of install-libtorch. */
    Path libtorch() throws IOException {
        Path libtorch = folder.resolve("R & D/libtorch");
        write(libtorch.resolve("torch/lib/libtorch_cuda.so"), "");
        return libtorch;
    }

    /** The variables for a libtorch in {@code folder}. */
    static List<String> variables(Path folder) {
        return LIBTORCH.stream().map(line -> line.formatted(folder)).toList();
    }

    /** Whether processes that this one starts ignore the signal, which they cannot undo. */
    static boolean isIgnored(String signal) throws IOException {
        String mask = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow()
                .split("\\s+")[1];
        int number = signal.equals("INT") ? 2 : 15;
        return (Long.parseUnsignedLong(mask, 16) >> number - 1 & 1) == 1;
    }
}
