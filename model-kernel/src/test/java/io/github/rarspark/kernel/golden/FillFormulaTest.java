package io.github.rarspark.kernel.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class FillFormulaTest {
    private static final String JSON =
            """
            {"seed": "rar-small", "parameters": {
              "cls_token": {"shape": [1, 1, 4], "offset": 0.0, "scale": 0.5},
              "encoder.conv_in.weight": {"shape": [2, 2], "offset": 0.0, "scale": 0.3333333432674408}}}""";

    @Test
    void valuesAreThoseOfTheStoredWeights() {
        FillFormula formula = FillFormula.parse(JSON, "rar.json");
        // The first values of cls_token in the case's weight file.
        assertThat(formula.values("cls_token"))
                .containsExactly(
                        Float.intBitsToFloat(0x3e215f0c),
                        Float.intBitsToFloat(0x3ebe262c),
                        Float.intBitsToFloat(0xbda37320),
                        Float.intBitsToFloat(0xbe0158c8));
        FillFormula norm = FillFormula.parse(
                """
                {"seed": "vqgan-small", "parameters": {
                  "encoder.down.0.block.0.norm1.weight": {"shape": [4], "offset": 1.0, "scale": 0.1}}}""",
                "vqgan.json");
        assertThat(norm.values("encoder.down.0.block.0.norm1.weight"))
                .containsExactly(
                        Float.intBitsToFloat(0x3f86c762),
                        Float.intBitsToFloat(0x3f6c5108),
                        Float.intBitsToFloat(0x3f77e68a),
                        Float.intBitsToFloat(0x3f8877bb));
    }

    @Test
    void anyModelIsScaledAsTheCasesAre() throws IOException {
        Path folder = Path.of("src/test/resources/golden");
        FillFormula rar = FillFormula.parse(Files.readString(folder.resolve("rar-small/rar.json")), "rar.json");
        ParameterTable rarTable = RarConfig.of(32, 2, 4, 128, 16, 64, 10).parameters();
        assertThat(FillFormula.of("rar-small", rarTable).parameters()).isEqualTo(rar.parameters());
        FillFormula vqgan = FillFormula.parse(Files.readString(folder.resolve("vqgan-small/vqgan.json")), "vqgan.json");
        ParameterTable vqganTable = new VqganConfig(32, List.of(1, 1, 2), 1, 16, 64).table();
        // A case fits the codebook to its latents, so that the tokens vary.
        Map<String, FillFormula.Parameter> fitted = new HashMap<>(vqgan.parameters());
        fitted.keySet().remove("quantize.embedding.weight");
        assertThat(FillFormula.of("vqgan-small", vqganTable).parameters())
                .containsAllEntriesOf(fitted)
                .hasSize(fitted.size() + 1);
    }

    @Test
    void tensorsFollowTheModelsTable() {
        FillFormula formula = FillFormula.parse(JSON, "rar.json");
        ParameterSpec cls = new ParameterSpec("cls_token", new long[] {1, 1, 4}, Init.zeros());
        ParameterSpec conv = new ParameterSpec("encoder.conv_in.weight", new long[] {2, 2}, Init.zeros());
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = formula.tensors(new ParameterTable(List.of(conv, cls)), manager)) {
            assertThat(tensors.asMap().keySet()).containsExactly("encoder.conv_in.weight", "cls_token");
            assertThat(tensors.get("cls_token").toFloatArray()).containsExactly(formula.values("cls_token"));
            assertThatThrownBy(() -> formula.tensors(new ParameterTable(List.of(cls)), manager))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("1 unexpected ('encoder.conv_in.weight')");
        }
    }

    @Test
    void malformedCasesAreRefused() {
        assertThatThrownBy(() -> FillFormula.parse("{\"seed\": 3}", "x.json"))
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read x.json: a golden case needs the text 'seed' and 'parameters'");
        assertThatThrownBy(() -> FillFormula.parse("{\"seed\": \"s\", \"parameters\": {\"w\": {}}}", "x.json"))
                .hasMessage("Cannot read x.json: parameter 'w' needs a shape, an offset and a scale");
    }
}
