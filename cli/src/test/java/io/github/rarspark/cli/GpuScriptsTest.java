package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.cli.Scripts.Run;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the scripts of deploy/gpu, with only fakes and a few basic tools on the PATH. */
class GpuScriptsTest {
    private static final Path SOURCES = Path.of("..", "deploy", "gpu");
    private static final List<String> TOOLS = List.of(
            "awk",
            "bash",
            "chmod",
            "cmp",
            "cp",
            "cut",
            "date",
            "dirname",
            "du",
            "env",
            "grep",
            "head",
            "ln",
            "mkdir",
            "mktemp",
            "mv",
            "readlink",
            "realpath",
            "rm",
            "sed",
            "sha256sum",
            "sleep",
            "tail",
            "tee",
            "timeout",
            "tr");

    @TempDir
    Path folder;

    private Scripts scripts;

    @BeforeEach
    void path() throws IOException {
        scripts = new Scripts(folder, TOOLS);
    }

    private static String script(String name) {
        return SOURCES.resolve(name).toAbsolutePath().normalize().toString();
    }

    private static void assertFailed(Run run, int code, String... parts) {
        assertThat(run.code()).isEqualTo(code);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).singleElement().asString().contains(parts);
    }

    // ---- discover-gpus ----

    private Run discover() throws Exception {
        return scripts.run(script("discover-gpus"));
    }

    /** The addresses as Spark reads them. */
    private static String[] addresses(Run run) {
        assertThat(run.code()).isZero();
        ResourceInformation found = ResourceInformation.parseJson(String.join("\n", run.out()));
        assertThat(found.name()).isEqualTo("gpu");
        return found.addresses();
    }

    @Test
    void theDriversGpusAreFound() throws Exception {
        scripts.fake("nvidia-smi", "[[ $* == '--query-gpu=index --format=csv,noheader' ]] && printf '0\\n1\\n3\\n'");
        assertThat(addresses(discover())).containsExactly("0", "1", "3");
        scripts.fake("nvidia-smi", "echo 0");
        assertThat(addresses(discover())).containsExactly("0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | 2",
                "3,0 | 3 0",
                "3, 0 | 3 0",
                "1,-1,2 | 1",
                "GPU-8932f937-d72c,MIG-GPU-8932f937/1/0 | GPU-8932f937-d72c MIG-GPU-8932f937/1/0"
            })
    void visibleDevicesComeBeforeTheDrivers(String visible, String expected) throws Exception {
        scripts.set("CUDA_VISIBLE_DEVICES", visible);
        assertThat(addresses(discover())).containsExactly(expected.split(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "NoDevFiles", "none", "0\"", "0,,1"})
    void visibleDevicesThatNameNoneAreNamed(String visible) throws Exception {
        scripts.set("CUDA_VISIBLE_DEVICES", visible);
        assertFailed(
                discover(), 69, "discover-gpus: cannot list GPUs: CUDA_VISIBLE_DEVICES=" + visible + " names none");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "echo 'NVIDIA-SMI has failed: no driver'; echo 'More'; exit 9 | ended with 9: NVIDIA-SMI has failed: no driver;",
                "exit 3 | nvidia-smi ended with 3;",
                "true | nvidia-smi lists none",
                "echo 'No devices were found' | nvidia-smi lists No devices were found"
            })
    void anAnswerOfTheDriverThatIsNoListIsShown(String answer, String expected) throws Exception {
        scripts.fake("nvidia-smi", answer);
        assertFailed(discover(), 69, expected);
    }

    @Test
    void aMissingDriverIsNamed() throws Exception {
        assertFailed(discover(), 69, "nvidia-smi is not on the PATH", "NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    }

    // ---- libtorch ----

    @Test
    void theImageHasTheEnvironmentThatTheLauncherSets() throws IOException {
        List<String> variables;
        try (Stream<String> lines = Files.lines(SOURCES.resolve("libtorch.env"))) {
            variables = lines.filter(line -> !line.startsWith("#"))
                    .map(line -> line.replace("${RAR_SPARK_LIBTORCH}", "/opt/libtorch"))
                    .toList();
        }
        assertThat(variables).hasSizeGreaterThan(4).allMatch(line -> line.matches("[A-Z_]+=\\S+"));
        assertThat(Files.readString(SOURCES.resolveSibling("docker/Dockerfile")))
                .contains("ENV " + String.join(" \\\n    ", variables) + "\n");
    }

    /** A copy of install-libtorch that knows only wheels of this test. */
    private final class Wheels {
        private final Path home = folder.resolve("deploy");
        private final Path wheels = folder.resolve("wheels");
        private final List<String> lines = new ArrayList<>(List.of("# made for a test"));

        Wheels() throws IOException {
            Files.createDirectories(home);
            Files.createDirectories(wheels);
            for (String name : List.of("install-libtorch", "discover-gpus")) {
                Files.copy(SOURCES.resolve(name), home.resolve(name));
                assertThat(home.resolve(name).toFile().setExecutable(true)).isTrue();
            }
        }

        void add(String name, String use, String... entries) throws Exception {
            Path file = wheels.resolve(name);
            try (OutputStream out = Files.newOutputStream(file);
                    ZipOutputStream zip = new ZipOutputStream(out)) {
                for (String entry : entries) {
                    zip.putNextEntry(new ZipEntry(entry));
                    zip.write(entry.getBytes(StandardCharsets.UTF_8));
                }
            }
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            lines.add(HexFormat.of().formatHex(hash) + "  " + name + use);
        }

        Run install(String... args) throws Exception {
            Files.write(home.resolve("wheels.sha256"), lines);
            return scripts.run(
                    Stream.concat(Stream.of(home.resolve("install-libtorch").toString()), Stream.of(args))
                            .toArray(String[]::new));
        }

        private void addAll() throws Exception {
            add(
                    "torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl",
                    "",
                    "torch/lib/libtorch_cuda.so",
                    "torch/lib/libcaffe2_nvrtc.so",
                    "torch/lib/libtorch_python.so",
                    "torch/lib/libgomp-a34b3233.so.1",
                    "torch/include/ATen/ATen.h",
                    "torch/__init__.py",
                    "torch-2.7.1.dist-info/licenses/LICENSE");
            add(
                    "nvidia_cuda_runtime_cu12-12.6.77-py3-none-manylinux2014_x86_64.whl",
                    "",
                    "nvidia/cuda_runtime/lib/libcudart.so.12",
                    "nvidia/cuda_runtime/include/cuda_runtime.h");
            add(
                    "nvidia_cuda_nvcc_cu12-12.6.85-py3-none-manylinux2014_x86_64.whl",
                    " headers",
                    "nvidia/cuda_nvcc/include/crt/a.h");
        }
    }

    private Wheels wheels() throws Exception {
        Path python = Path.of("/usr/bin/python3");
        assumeTrue(Files.exists(python), "needs " + python);
        scripts.fake("python3", "[[ $1 != -m ]] || { echo \"pip $*\" >&2; exit 1; }; exec " + python + " \"$@\"");
        return new Wheels();
    }

    private static List<String> filesBelow(Path target) throws IOException {
        try (Stream<Path> files = Files.walk(target)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> target.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void wheelsBecomeAFolder() throws Exception {
        Wheels wheels = wheels();
        wheels.addAll();
        Path target = folder.resolve("lib torch");
        Run run = wheels.install("--wheels", wheels.wheels.toString(), target.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).singleElement().asString().contains("RAR_SPARK_LIBTORCH=" + target);
        assertThat(filesBelow(target))
                .containsExactly(
                        "discover-gpus",
                        "lib/libcaffe2_nvrtc.so",
                        "lib/libcudart.so",
                        "lib/libcudart.so.12",
                        "lib/libgomp-a34b3233.so.1",
                        "lib/libtorch_cuda.so",
                        "licenses/torch-2.7.1-licenses-LICENSE",
                        "nvidia/cuda_runtime/lib/libcudart.so.12",
                        "torch/lib/libgomp-a34b3233.so.1",
                        "torch/lib/libtorch_cuda.so",
                        "wheels.sha256");
        assertThat(target.resolve("lib/libcudart.so")).hasContent("nvidia/cuda_runtime/lib/libcudart.so.12");
        Path moved = Files.move(target, folder.resolve("moved"));
        assertThat(moved.resolve("lib/libcudart.so")).hasContent("nvidia/cuda_runtime/lib/libcudart.so.12");

        assertThat(wheels.install(moved.toString()).out()).containsExactly(moved + " is complete");
        assertFailed(wheels.install("--headers", moved.toString()), 73, moved + " is there already");
    }

    @Test
    void headersAreForCompilers() throws Exception {
        Wheels wheels = wheels();
        wheels.addAll();
        Path target = folder.resolve("target");
        assertThat(wheels.install("--headers", "--wheels", wheels.wheels.toString(), target.toString())
                        .code())
                .isZero();
        assertThat(filesBelow(target))
                .contains(
                        "torch/include/ATen/ATen.h",
                        "nvidia/cuda_runtime/include/cuda_runtime.h",
                        "nvidia/cuda_nvcc/include/crt/a.h");
    }

    @Test
    void aChangedWheelIsRefused() throws Exception {
        Wheels wheels = wheels();
        wheels.addAll();
        wheels.install("--wheels", wheels.wheels.toString());
        Path changed = wheels.wheels.resolve("torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl");
        Files.write(changed, new byte[] {1});
        Path target = folder.resolve("target");
        assertFailed(
                wheels.install("--wheels", wheels.wheels.toString(), target.toString()),
                65,
                changed + " does not have the hash in wheels.sha256");
        assertThat(target).doesNotExist();
        assertThat(folder).isDirectoryNotContaining("glob:**/.install-libtorch*");
    }

    @Test
    void aMissingWheelIsFetchedByItsTagsOrNamed() throws Exception {
        Wheels wheels = wheels();
        wheels.add("nvidia_nccl_cu12-2.26.2-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", "", "a");
        Path wheel = wheels.wheels.resolve(
                "nvidia_nccl_cu12-2.26.2-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl");
        Files.delete(wheel);
        Run run = wheels.install("--wheels", wheels.wheels.toString());
        assertThat(run.code()).isEqualTo(69);
        assertThat(run.err())
                .first()
                .asString()
                .contains(
                        "pip download",
                        "--no-deps",
                        "--abi none",
                        "--platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64",
                        "nvidia_nccl_cu12==2.26.2");
        assertThat(run.err()).last().asString().contains("cannot fetch " + wheel.getFileName(), "--wheels FOLDER");
    }

    // ---- suite ----

    private static final String REPORTS =
            """
            command=$1
            [[ $command != bench ]] || command=$2
            while (($# > 0)); do
              case $1 in
                --json) json=$2; shift ;;
                --precision) precision=$2; shift ;;
              esac
              shift
            done
            [[ $command != features ]] || { echo 'rar-spark: "out" of memory' >&2; exit 69; }
            [[ $command != train || -n ${json:-} ]] || { echo 'rar-spark: Cannot train: 2 ranks' >&2; exit 69; }
            if [[ $command == sample ]]; then # until the GPU was looked at
              for ((i = 0; i < 200; i++)); do
                [[ ! -s ${json%.json}.gpu ]] || break
                sleep 0.05
              done
            fi
            rate=20
            [[ $command != decode ]] || rate=80
            echo "{\\"what\\" : \\"$command\\", \\"images_per_second\\" : $rate.0}" > "$json"
            """;

    /** A bundle whose launcher and gpu-check are fakes. */
    private Path bundle() throws IOException {
        Path bundle = folder.resolve("bundle");
        Files.createDirectories(bundle.resolve("golden"));
        Path run = bundle.resolve("deploy/gpu/suite/run");
        Files.createDirectories(run.getParent());
        Files.copy(SOURCES.resolve("suite/run"), run);
        assertThat(run.toFile().setExecutable(true)).isTrue();
        Scripts.script(bundle.resolve("bin/rar-spark"), "/usr/bin/env bash", REPORTS);
        Scripts.script(
                bundle.resolve("deploy/gpu/gpu-check"), "/usr/bin/env bash", "printf '%s\\n' \"$@\" >\"$0.options\"");
        return run;
    }

    @Test
    void theSuiteReportsWhatFailsAndGoesOn() throws Exception {
        Path run = bundle();
        scripts.fake(
                "nvidia-smi",
                """
                [[ $* != *name* ]] || { echo 'NVIDIA "Fake", 550.54.15, 81920'; exit; }
                printf '0, 500\\n50, 2000\\n100, 3000\\n'""");
        scripts.fake("timeout", "[[ $* != *' bench encode '* ]] || exit 124; shift 2; exec \"$@\"");
        scripts.set("RAR_SPARK_GPU_CHECK", "--torch '/a folder' --lib /lib");
        Path output = folder.resolve("results");
        Run suite = scripts.run(run.toString(), "--output", output.toString());
        assertThat(suite.code()).isEqualTo(1);
        assertThat(run.resolve("../../gpu-check.options").normalize())
                .content()
                .endsWith("--torch\n/a folder\n--lib\n/lib\n");

        JsonNode json = new ObjectMapper().readTree(output.resolve("suite.json").toFile());
        assertThat(json.get("passed").asBoolean()).isFalse();
        assertThat(json.get("machine").asText()).isEqualTo("NVIDIA \"Fake\", 550.54.15, 81920");
        JsonNode items = json.get("items");
        assertThat(items)
                .extracting(item -> item.get("item").asText())
                .contains("gpu-check", "golden-fp32", "golden-bf16", "demo");
        assertThat(item(items, "two-ranks-refused")).isEqualTo("passed 69 rar-spark: Cannot train: 2 ranks");
        assertThat(item(items, "features-fp32")).isEqualTo("FAILED 69 rar-spark: \"out\" of memory");
        assertThat(item(items, "encode-fp32")).isEqualTo("FAILED 124 took longer than 60 s");
        JsonNode sample = named(items, "sample-rar-b-fp32");
        assertThat(sample.at("/report/images_per_second").asDouble()).isEqualTo(20);
        assertThat(sample.get("gpu"))
                .hasToString("{\"busy_percent_mean\":75,\"busy_percent_max\":100,\"memory_mib_max\":3000}");

        List<String> table = Files.readAllLines(output.resolve("suite.txt"));
        assertThat(suite.out()).isEqualTo(table);
        assertThat(row(table, "sample-rar-b-fp32")).containsSubsequence("passed", "20", "16.00", "17.0", "75", "3000");
        assertThat(row(table, "sample-rar-b-bf16")).doesNotContain("17.0");
    }

    private static JsonNode named(JsonNode items, String name) {
        for (JsonNode item : items) {
            if (item.get("item").asText().equals(name)) {
                return item;
            }
        }
        throw new AssertionError("no item " + name);
    }

    private static String item(JsonNode items, String name) {
        JsonNode item = named(items, name);
        return item.get("outcome").asText() + " " + item.get("exit_code").asText() + " "
                + item.get("message").asText();
    }

    private static List<String> row(List<String> table, String name) {
        return table.stream()
                .filter(line -> line.startsWith(name + " "))
                .map(line -> List.of(line.split(" +")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whenTheTimeIsOverTheRestIsListed() throws Exception {
        Path run = bundle();
        scripts.set("RAR_SPARK_SUITE_SECONDS", "9");
        Path output = folder.resolve("results");
        assertThat(scripts.run(run.toString(), "--device", "cpu", "--output", output.toString())
                        .code())
                .isEqualTo(1);
        JsonNode items = new ObjectMapper()
                .readTree(output.resolve("suite.json").toFile())
                .get("items");
        assertThat(items).hasSizeGreaterThan(10);
        for (JsonNode item : items) {
            String name = item.get("item").asText();
            assertThat(item(items, name)).as(name).isEqualTo("not run null the 9 s are over");
        }
    }

    @Test
    void aSuiteForGpusNeedsOne() throws Exception {
        Path run = bundle();
        scripts.fake("nvidia-smi", "echo 'No devices were found'; exit 6");
        assertFailed(
                scripts.run(run.toString(), "--output", folder.resolve("x").toString()), 69, "No devices were found");
    }
}
