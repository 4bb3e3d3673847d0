package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.cli.weights.WeightsCommand;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.kernel.weights.torch.TorchZip;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;

class WeightsCommandTest {
    private static final Path GOLDEN = Path.of("..", "model-kernel", "src", "test", "resources", "golden");
    private static final Path RAR = GOLDEN.resolve("rar-small").resolve("rar.bin");
    private static final Path VQGAN = GOLDEN.resolve("vqgan-small").resolve("vqgan.bin");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path folder;

    private int weights(Object... args) {
        return Main.execute(
                List.of(CommandSpec.forAnnotatedObject(new WeightsCommand())),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Interruption.none(),
                Stream.concat(Stream.of("weights"), Stream.of(args).map(Object::toString))
                        .toArray(String[]::new));
    }

    @Test
    void inspectSaysWhatFilesAre() throws IOException {
        Path json = folder.resolve("report.json");
        assertThat(weights("inspect", RAR, VQGAN, "--tensors", "--json", json))
                .as(err::toString)
                .isZero();
        assertThat(out.toString())
                .contains(
                        "rar.bin: a RAR generator (width 32,",
                        "--weights of generate",
                        "vqgan.bin: a MaskGIT-VQGAN tokenizer",
                        "torch_zip, 473,616 bytes",
                        "cls_token");
        JsonNode file = new ObjectMapper().readTree(json.toFile()).get("files").get(0);
        assertThat(file.get("kind").asText()).isEqualTo("rar");
        assertThat(file.get("bytes").asLong()).isEqualTo(Files.size(RAR));
        assertThat(file.get("dtypes").get("F32").asInt())
                .isEqualTo(file.get("tensors").size());
        assertThat(file.get("tensors").get(0).get("shape").isArray()).isTrue();
    }

    @Test
    void convertedThereAndBackEveryTensorIsBitEqual() throws IOException {
        Path safetensors = folder.resolve("a.safetensors");
        Path bin = folder.resolve("b.bin");
        assertThat(weights("convert", VQGAN, safetensors)).as(err::toString).isZero();
        assertThat(weights("convert", safetensors, bin)).as(err::toString).isZero();
        TensorFile original = TensorFile.open(VQGAN);
        TensorFile there = TensorFile.open(safetensors);
        TensorFile back = TensorFile.open(bin);
        assertThat(there.format()).isEqualTo(Safetensors.FORMAT);
        assertThat(back.format()).isEqualTo(TorchZip.FORMAT);
        assertThat(back.tensors()).isEqualTo(original.tensors()).isEqualTo(there.tensors());
        for (String name : original.names()) {
            assertThat(there.data(name)).as(name).isEqualTo(original.data(name));
            assertThat(back.data(name)).as(name).isEqualTo(original.data(name));
        }
        assertThat(out.toString())
                .contains("a.safetensors: safetensors, " + there.names().size() + " tensors");
    }

    @Test
    void dtypeConvertsFloats() throws IOException {
        Path half = folder.resolve("half");
        assertThat(weights("convert", RAR, half, "--format", "bin", "--dtype", "bf16"))
                .as(err::toString)
                .isZero();
        TensorFile converted = TensorFile.open(half);
        assertThat(converted.tensors().values()).allMatch(info -> info.type() == ElementType.BF16);
        assertThat(converted.data("cls_token")).isEqualTo(TensorFile.open(RAR).data("cls_token", ElementType.BF16));
    }

    @Test
    void whatExistsIsReplacedOnlyOnRequest() throws IOException {
        Path existing = Files.writeString(folder.resolve("x.safetensors"), "mine");
        assertThat(weights("convert", RAR, existing)).isEqualTo(73);
        assertThat(err.toString()).contains("it exists; give another name or --overwrite");
        assertThat(existing).hasContent("mine");
        assertThat(weights("convert", RAR, existing, "--out", existing)).isEqualTo(64);
        assertThat(weights("convert", RAR)).isEqualTo(64);
        assertThat(existing).hasContent("mine");
        assertThat(weights("convert", RAR, "--out", existing, "--overwrite")).isZero();
        assertThat(TensorFile.open(existing).format()).isEqualTo(Safetensors.FORMAT);
    }

    @Test
    void everyMistakeHasItsExitCodeAndOneLine() throws IOException {
        Path junk = Files.writeString(folder.resolve("junk.bin"), "<html>not found</html>");
        assertThat(weights("inspect", junk)).isEqualTo(65);
        assertThat(weights("inspect", folder.resolve("none.bin"))).isEqualTo(66);
        assertThat(weights("convert", junk, folder.resolve("y.bin"))).isEqualTo(65);
        assertThat(folder.resolve("y.bin")).doesNotExist();
        assertThat(weights("convert", RAR, folder.resolve("z.onnx"))).isEqualTo(64);
        assertThat(weights("convert", RAR, folder.resolve("z.bin"), "--dtype", "int8"))
                .isEqualTo(64);
        assertThat(weights()).isEqualTo(64);
        assertThat(weights("inspekt")).isEqualTo(64);
        assertThat(err.toString().lines())
                .hasSize(7)
                .allMatch(line -> line.startsWith("rar-spark: "))
                .anyMatch(line -> line.contains("it is a web page"))
                .anyMatch(line -> line.contains("inspect"));
    }

    @Test
    void aFolderIsNoWeightFile() throws IOException {
        String run = Files.createDirectory(folder.resolve("run")).toString();
        assertThat(weights("inspect", run)).isEqualTo(66);
        Files.copy(RAR, folder.resolve("run/model.safetensors"));
        assertThat(weights("inspect", run)).isEqualTo(66);
        assertThat(weights("convert", run, folder.resolve("a.bin"))).isEqualTo(66);
        String refusal = "rar-spark: Cannot read file " + run + ": it is a folder; give ";
        assertThat(err.toString().lines())
                .containsExactly(
                        refusal + "a weight file",
                        refusal + run + "/model.safetensors",
                        refusal + run + "/model.safetensors");
    }

    @Test
    void mergedPositionsAreOneTableAndSayTheirOrder() throws IOException {
        Path merged = folder.resolve("merged.safetensors");
        assertThat(weights("merge-positions", RAR, merged, "--order", "spiral-in"))
                .as(err::toString)
                .isZero();
        assertThat(out.toString()).contains("merged.safetensors: positions merged for the order spiral-in");
        TensorFile before = TensorFile.open(RAR);
        TensorFile after = TensorFile.open(merged);
        assertThat(after.metadata()).containsEntry("positions_merged_for", "spiral-in");
        assertThat(after.tensors()).isEqualTo(before.tensors());
        assertThat(after.floats("target_aware_pos_embed")).containsOnly(0);
        float[] own = before.floats("pos_embed");
        float[] target = before.floats("target_aware_pos_embed");
        float[] table = after.floats("pos_embed");
        // 16 tokens, 32 wide: the spiral starts at the last place, goes up, and ends in the middle at place 9.
        for (int i = 0; i < 32; i++) {
            assertThat(table[32 + i]).isEqualTo(own[32 + i] + target[17 * 32 + i]);
            assertThat(table[17 * 32 + i]).isEqualTo(own[17 * 32 + i] + target[13 * 32 + i]);
            assertThat(table[11 * 32 + i]).isEqualTo(own[11 * 32 + i]);
        }
        assertThat(after.data("cls_token")).isEqualTo(before.data("cls_token"));
        assertThat(weights("merge-positions", merged, folder.resolve("again.safetensors")))
                .isEqualTo(65);
        assertThat(err.toString()).contains("they are already merged, for the order spiral-in");
    }

    @Test
    void onlyAGeneratorsPositionsCanBeMergedAndInAKnownOrder() {
        Path merged = folder.resolve("merged.safetensors");
        assertThat(weights("merge-positions", VQGAN, merged)).isEqualTo(65);
        assertThat(weights("merge-positions", RAR, merged, "--order", "z-curv")).isEqualTo(64);
        assertThat(weights("merge-positions", RAR, folder.resolve("merged.bin")))
                .isEqualTo(64);
        assertThat(folder.resolve("merged.bin")).doesNotExist();
        assertThat(merged).doesNotExist();
        assertThat(err.toString().lines())
                .hasSize(3)
                .anyMatch(line -> line.contains("only a safetensors file can record the order"))
                .anyMatch(line -> line.contains("it has no 'target_aware_pos_embed'"))
                .anyMatch(line -> line.contains("Cannot use --order z-curv") && line.contains("z-curve"));
    }
}
