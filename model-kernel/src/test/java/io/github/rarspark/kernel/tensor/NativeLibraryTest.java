package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.testing.SourceHash;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class NativeLibraryTest {
    private static final Path LIBRARIES = Path.of("src/main/resources/native/linux-x86_64");
    private static final Path SOURCES = Path.of("src/main/native");
    private static final Path NCCL_SOURCES = Path.of("src/main/native-cuda");
    private static final Path NCCL_DOUBLE = Path.of("src/test/native-nccl");

    @Test
    void theLoadedLibraryWasBuiltFromTheSources() throws IOException {
        assertThat(NativeLibrary.builtFrom())
                .as("rebuild the bridge with mvn -Pnative")
                .isEqualTo(SourceHash.of(SOURCES));
    }

    /** Neither can be asked: one needs CUDA, the other GPUs of tests. */
    @Test
    void theLibrariesForNcclWereBuiltFromTheSources() throws IOException {
        Path header = SOURCES.resolve("nccl_backend.h");
        Path backend = NCCL_SOURCES.resolve("nccl_backend.cc");
        assertThat(content(LIBRARIES.resolve("librarspark-nccl.so")))
                .as("rebuild it with mvn -Pnative-cuda")
                .contains("sources " + SourceHash.of(List.of(NCCL_SOURCES.resolve("build.sh"), backend, header)));
        assertThat(content(Path.of("src/test/resources/native/linux-x86_64/librarspark-nccl-double.so")))
                .as("rebuild it with mvn -Pnative")
                .contains("sources "
                        + SourceHash.of(List.of(
                                NCCL_DOUBLE.resolve("build.sh"),
                                NCCL_DOUBLE.resolve("torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp"),
                                backend,
                                header,
                                SOURCES.resolve("abortable_gloo.h"))));
    }

    private static String content(Path library) throws IOException {
        return Files.readString(library, StandardCharsets.ISO_8859_1);
    }

    @Test
    void everyNativeMethodIsDefinedOnceAndNothingElseIs() throws IOException {
        List<String> declared = new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.github.rarspark.kernel")
                        .stream()
                        .flatMap(type -> type.getMethods().stream())
                        .filter(method -> method.getModifiers().contains(JavaModifier.NATIVE))
                        .map(method -> "Java_" + method.getOwner().getName().replace('.', '_') + "_" + method.getName())
                        .toList();
        String library = content(LIBRARIES.resolve("librarspark.so"));
        List<String> defined = Pattern.compile("Java_io_github_rarspark_\\w+")
                .matcher(library)
                .results()
                .map(MatchResult::group)
                .toList();
        assertThat(declared).isNotEmpty();
        assertThat(defined).containsExactlyInAnyOrderElementsOf(declared);
    }

    @Test
    void aNativeFailureIsOneLine() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray a = scope.floats(new float[6], 2, 3);
            assertThatThrownBy(() -> scope.matmul(a, a))
                    .isExactlyInstanceOf(NativeException.class)
                    .hasMessageContaining("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void memoryThatTheMachineDoesNotHaveIsAFailureOfItsOwn() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope scope = TensorScope.inference(manager)) {
            assertThatThrownBy(() -> scope.zeros(1L << 45))
                    .isInstanceOf(NativeMemoryException.class)
                    .hasMessageStartingWith("DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                            + (1L << 47) + " bytes")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void theSettingToLowerComesFirst() {
        NativeMemoryException failure = new NativeMemoryException("you tried to allocate 8 bytes");
        assertThat(failure.lowering("train.micro_batch"))
                .hasMessage("Out of memory for tensors: lower train.micro_batch (you tried to allocate 8 bytes)")
                .hasCause(failure);
    }

    @Test
    void nullForAnArrayIsAnException() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray x = scope.zeros(2, 2);
            assertThatThrownBy(() -> scope.dropout(x, 0.5, null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("a native method was given null for an array");
            assertThatThrownBy(() -> scope.floats(null, 2)).isInstanceOf(NullPointerException.class);
        }
    }

    @Test
    void aClosedTensorSaysSo() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray a = scope.floats(new float[6], 2, 3);
            a.close();
            assertThatThrownBy(() -> scope.silu(a))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("released");
        }
    }

    @Test
    void aLibraryThatDoesNotLoadIsTheSameErrorEveryTime(@TempDir Path directory) throws Exception {
        Path broken = directory.resolve("native/linux-x86_64/librarspark.so");
        Files.createDirectories(broken.getParent());
        Files.writeString(broken, "not a library");
        assertThat(results(directory, LoadTwice.class, Map.of()))
                .hasSize(4)
                .allSatisfy(line -> assertThat(line).startsWith(CANNOT_LOAD).contains("librarspark"));
    }

    /** DJL's own message says only that it failed. */
    @Test
    void aLibtorchThatDoesNotLoadIsNamed(@TempDir Path directory) throws Exception {
        Path broken = Files.writeString(directory.resolve("libtorch.so"), "not a library");
        assertThat(results(directory, LoadOnce.class, Map.of("PYTORCH_LIBRARY_PATH", directory.toString())))
                .singleElement()
                .asString()
                .startsWith(CANNOT_LOAD)
                .contains(broken + ": file too short");
    }

    static Stream<Arguments> failuresToLoad() {
        Throwable noHost = new UnknownHostException("publish.example");
        Throwable noSymbol = new UnsatisfiedLinkError("libc10.so: undefined symbol");
        return Stream.of(
                Arguments.of(
                        new IllegalStateException("Failed to download libtorch", noHost),
                        "Failed to download libtorch: UnknownHostException: publish.example"),
                Arguments.of(new IllegalStateException(noHost), "java.net.UnknownHostException: publish.example"),
                Arguments.of(
                        new IllegalStateException("Failed to load", new IOException()), "Failed to load: IOException"),
                Arguments.of(new ExceptionInInitializerError(), "ExceptionInInitializerError"),
                Arguments.of(new IllegalStateException("Failed to load", noSymbol), "libc10.so: undefined symbol"));
    }

    @ParameterizedTest
    @MethodSource("failuresToLoad")
    void theReasonSaysWhatHappened(Throwable failure, String reason) {
        assertThat(NativeLibrary.reason(failure)).isEqualTo(reason);
    }

    private static final String CANNOT_LOAD =
            "result: " + NativeLoadException.class.getName() + ": Cannot load the native bridge to libtorch: ";

    /** What a process prints whose class path begins with {@code directory}. */
    private static List<String> results(Path directory, Class<?> main, Map<String, String> environment)
            throws Exception {
        Path said = directory.resolve("said");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        directory + ":" + System.getProperty("java.class.path"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        main.getName())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readAllLines(said).stream()
                .filter(line -> line.startsWith("result: "))
                .toList();
    }

    static final class LoadOnce {
        private LoadOnce() {}

        public static void main(String[] args) {
            LoadTwice.say(() -> Torch.setIntraOpThreads(1));
        }
    }

    /** Two ways to native methods, each twice. */
    static final class LoadTwice {
        private LoadTwice() {}

        public static void main(String[] args) {
            try (NDManager manager = NDManager.newBaseManager()) {
                for (int round = 0; round < 2; round++) {
                    say(() -> Torch.setIntraOpThreads(1));
                    say(() -> TensorScope.inference(manager).close());
                }
            }
        }

        private static void say(Runnable call) {
            try {
                call.run();
                System.out.println("result: loaded");
            } catch (RuntimeException | LinkageError e) {
                System.out.println("result: " + e);
            }
        }
    }
}
