package io.github.rarspark.kernel.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.weights.safetensors.FuzzSafetensors;
import io.github.rarspark.kernel.weights.safetensors.HostileSafetensors;
import io.github.rarspark.kernel.weights.torch.FuzzTorch;
import io.github.rarspark.kernel.weights.torch.HostileLegacy;
import io.github.rarspark.kernel.weights.torch.HostilePickles;
import io.github.rarspark.kernel.weights.torch.HostileZips;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Coverage-guided fuzzing of both readers, from the hostile files and the fixtures on: any input is read or refused with a
 * DataException of one line, soon and in little memory. The property {@code fuzz.seconds} says for how long; what was
 * found stays in {@code target/fuzz}, and a longer run goes on from there.
 */
class FuzzingTest {
    private static final int SECONDS = Integer.getInteger("fuzz.seconds", 20);
    private static final int LARGEST_SEED = 8192;
    private static final Path FIXTURES = Path.of("src/test/resources/weights");

    @Test
    void safetensors() throws IOException, InterruptedException {
        Path corpus = corpus("safetensors");
        for (HostileFile file : small(HostileSafetensors.all())) {
            seed(corpus, file.name(), file.bytes().get());
        }
        seed(corpus, "expected", Files.readAllBytes(FIXTURES.resolve("expected.safetensors")));
        fuzz(FuzzSafetensors.class, corpus, 100);
    }

    @Test
    void torch() throws IOException, InterruptedException {
        Path corpus = corpus("torch");
        for (HostileFile file : small(HostileZips.all())) {
            seed(corpus, file.name(), file.bytes().get(), FuzzTorch.FILE);
        }
        for (HostileFile file : small(HostileLegacy.all())) {
            seed(corpus, file.name(), file.bytes().get(), FuzzTorch.FILE);
        }
        for (HostileFile file : small(HostilePickles.all())) {
            seed(corpus, file.name(), FuzzTorch.pickle(file.bytes().get()), FuzzTorch.PICKLE);
        }
        for (String name : List.of("zip.pth", "nested.pth", "protocol-4.pth")) {
            byte[] bytes = Files.readAllBytes(FIXTURES.resolve(name));
            seed(corpus, name, bytes, FuzzTorch.FILE);
            seed(corpus, name, FuzzTorch.pickle(bytes), FuzzTorch.PICKLE_OF_GOOD);
        }
        seed(corpus, "legacy.pth", Files.readAllBytes(FIXTURES.resolve("legacy.pth")), FuzzTorch.FILE);
        fuzz(FuzzTorch.class, corpus, 500);
    }

    private static void fuzz(Class<?> target, Path corpus, int leastCoverage) throws IOException, InterruptedException {
        Path log = corpus.resolveSibling(target.getSimpleName() + ".log");
        Process fuzzer = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + target.getName(),
                        "--instrumentation_includes=io.github.rarspark.kernel.weights.**",
                        "-max_total_time=" + SECONDS,
                        "-timeout=10",
                        // The heap is limited above; this would count the peak of the JVM that runs the tests too.
                        "-rss_limit_mb=0",
                        "-max_len=" + LARGEST_SEED,
                        "-artifact_prefix=" + corpus.getParent() + "/",
                        "--reproducer_path=" + corpus.getParent(),
                        corpus.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(fuzzer.waitFor(SECONDS + 120L, TimeUnit.SECONDS)).isTrue();
        } finally {
            fuzzer.destroyForcibly();
        }
        String output = Files.readString(log);
        assertThat(fuzzer.exitValue()).as(output).isZero();
        assertThat(last(output, "Done (\\d+) runs")).isGreaterThan(100);
        assertThat(last(output, " cov: (\\d+)")).isGreaterThan(leastCoverage);
    }

    private static long last(String output, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(output);
        long value = 0;
        while (matcher.find()) {
            value = Long.parseLong(matcher.group(1));
        }
        return value;
    }

    private static Path corpus(String name) throws IOException {
        return Files.createDirectories(Path.of("target", "fuzz", name));
    }

    private static List<HostileFile> small(List<HostileFile> files) {
        return files.stream()
                .filter(file -> file.bytes().get().length <= LARGEST_SEED)
                .toList();
    }

    private static void seed(Path corpus, String name, byte[] bytes, byte... prefix) throws IOException {
        byte[] seed = ByteBuffer.allocate(prefix.length + bytes.length)
                .put(prefix)
                .put(bytes)
                .array();
        String suffix = prefix.length == 0 ? "" : "-" + prefix[0];
        Files.write(corpus.resolve("seed-" + name.replaceAll("\\W", "-") + suffix), seed);
    }
}
