package io.github.rarspark.kernel.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class NamedTensorsTest {
    private static final ParameterSpec WEIGHT =
            new ParameterSpec("fc.weight", new long[] {100, 300}, Init.truncatedNormal(0.02));
    private static final ParameterSpec BIAS = new ParameterSpec("fc.bias", new long[] {100}, Init.zeros());
    private static final ParameterSpec CONV =
            new ParameterSpec("conv.weight", new long[] {50, 4, 5, 5}, Init.fanIn(100));

    @Test
    void initialValuesDependOnSeedAndNameOnly() {
        ParameterSpec other = new ParameterSpec("other", new Shape(100, 300), Init.truncatedNormal(0.02));
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors one = NamedTensors.initial(new ParameterTable(List.of(WEIGHT, BIAS)), 7, manager);
                NamedTensors two = NamedTensors.initial(new ParameterTable(List.of(CONV, other, WEIGHT)), 7, manager);
                NamedTensors otherSeed = NamedTensors.initial(new ParameterTable(List.of(WEIGHT)), 8, manager)) {
            float[] values = one.get("fc.weight").toFloatArray();
            assertThat(one.asMap().keySet()).containsExactly("fc.weight", "fc.bias");
            assertThat(two.get("fc.weight").toFloatArray()).containsExactly(values);
            assertThat(two.get("other").toFloatArray()).isNotEqualTo(values);
            assertThat(otherSeed.get("fc.weight").toFloatArray()).isNotEqualTo(values);
        }
    }

    @Test
    void initialValuesHaveTheirDistributions() {
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors =
                        NamedTensors.initial(new ParameterTable(List.of(WEIGHT, BIAS, CONV)), 1, manager)) {
            float[] normal = tensors.get("fc.weight").toFloatArray();
            assertThat(mean(normal)).isCloseTo(0, within(0.0005));
            assertThat(deviation(normal)).isCloseTo(0.02, within(0.0005));
            assertThat(tensors.get("fc.bias").toFloatArray()).containsOnly(0);
            float[] uniform = tensors.get("conv.weight").toFloatArray();
            assertThat(deviation(uniform)).isCloseTo(0.1 / Math.sqrt(3), within(0.001));
            assertThat(IntStream.range(0, uniform.length)
                            .mapToDouble(i -> Math.abs(uniform[i]))
                            .max()
                            .orElseThrow())
                    .isBetween(0.0995, 0.1);
        }
    }

    @Test
    void truncationRedrawsWhatLiesOutside() {
        ParameterSpec wide = new ParameterSpec("w", new long[] {20_000}, new Init.TruncatedNormal(1, 2));
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.initial(new ParameterTable(List.of(wide)), 1, manager)) {
            float[] values = tensors.get("w").toFloatArray();
            assertThat(IntStream.range(0, values.length).filter(i -> Math.abs(values[i]) > 2))
                    .isEmpty();
            // The deviation of a standard normal variable within two deviations.
            assertThat(deviation(values)).isCloseTo(0.8796, within(0.01));
        }
    }

    @Test
    void fileFitsOrEveryKindOfMisfitIsNamed() throws IOException {
        ParameterTable table = new ParameterTable(List.of(WEIGHT, BIAS, CONV));
        ParameterTable another = new ParameterTable(List.of(
                new ParameterSpec("fc.weight", new long[] {300, 100}, Init.ones()),
                CONV,
                new ParameterSpec("x", new long[] {1}, Init.ones()),
                new ParameterSpec("y", new long[] {1}, Init.ones())));
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors ours = NamedTensors.initial(table, 1, manager);
                NamedTensors theirs = NamedTensors.initial(another, 1, manager);
                NamedTensors read = NamedTensors.load(file(ours), table, manager)) {
            assertThat(read.get("conv.weight")).isEqualTo(ours.get("conv.weight"));
            assertThatThrownBy(() -> NamedTensors.load(file(theirs), table, manager))
                    .isInstanceOf(DataException.class)
                    .hasMessage("Cannot load stream: its tensors do not match this model: 1 missing ('fc.bias'); "
                            + "2 unexpected (the first is 'x'); "
                            + "1 of wrong shape or type ('fc.weight' is F32(300, 100) instead of F32(100, 300))");
        }
    }

    @Test
    void integersAreNoWeights() {
        ParameterTable table = new ParameterTable(List.of(BIAS));
        Map<String, TensorInfo> stored = Map.of("fc.bias", new TensorInfo("fc.bias", ElementType.I64, BIAS.shape()));
        assertThatThrownBy(() -> table.check("x", stored))
                .hasMessageContaining("'fc.bias' is I64(100) instead of F32(100)");
    }

    @Test
    void closingFreesTheTensors() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NamedTensors tensors = NamedTensors.initial(new ParameterTable(List.of(BIAS)), 1, manager);
            tensors.close();
            assertThatThrownBy(() -> tensors.get("fc.bias").toFloatArray()).isInstanceOf(IllegalStateException.class);
        }
    }

    private static TensorFile file(NamedTensors tensors) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Safetensors.write(out, Map.of(), tensors.asMap());
        return TensorFile.open(new ByteArrayInputStream(out.toByteArray()), "stream");
    }

    private static double mean(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
    }

    private static double deviation(float[] values) {
        double mean = mean(values);
        return Math.sqrt(IntStream.range(0, values.length)
                .mapToDouble(i -> (values[i] - mean) * (values[i] - mean))
                .average()
                .orElseThrow());
    }
}
