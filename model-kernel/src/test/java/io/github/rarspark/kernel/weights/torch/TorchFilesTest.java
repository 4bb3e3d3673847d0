package io.github.rarspark.kernel.weights.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.golden.FillFormula;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that PyTorch wrote (src/test/python says how) have the tensors that safetensors' own library wrote. */
@Tag("device")
class TorchFilesTest {
    private static final Path FOLDER = Path.of("src/test/resources/weights");
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @ParameterizedTest
    @CsvSource({
        "zip.pth, expected, torch_zip",
        "no-crc.pth, expected, torch_zip",
        "protocol-4.pth, expected, torch_zip",
        "nested.pth, expected, torch_zip",
        "module.pth, module, torch_zip",
        "legacy.pth, expected, torch_legacy",
        "two-dictionaries.pth, expected, torch_legacy",
        "module-legacy.pth, module, torch_legacy",
        "expected.safetensors, expected, safetensors",
    })
    void everyTensorIsBitEqual(String name, String expectedName, String format) throws IOException {
        TensorFile expected = TensorFile.open(FOLDER.resolve(expectedName + ".safetensors"));
        TensorFile mapped = TensorFile.open(FOLDER.resolve(name));
        assertSame(mapped, expected);
        assertThat(mapped.format().name()).isEqualTo(format);
        try (InputStream in = Files.newInputStream(FOLDER.resolve(name))) {
            assertSame(TensorFile.open(in, "a stream"), expected);
        }
    }

    static void assertSame(TensorFile actual, TensorFile expected) {
        assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
        for (String name : expected.names()) {
            assertThat(actual.tensor(name)).as(name).isEqualTo(expected.tensor(name));
            assertThat(actual.data(name)).as(name).isEqualTo(expected.data(name));
        }
    }

    @Test
    void scalarsBesideTheStateDictAreNotes() throws IOException {
        assertThat(TensorFile.open(FOLDER.resolve("nested.pth")).metadata())
                .containsOnly(Map.entry("epoch", "7"), Map.entry("loss", "0.25"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"half", "bfloat", "transposed", "every_other", "scalar", "empty"})
    void halvesAndViewsLoadAsFloats(String name) throws IOException {
        TensorFile file = TensorFile.open(FOLDER.resolve("legacy.pth"));
        try (NDManager manager = NDManager.newBaseManager();
                NDArray loaded = file.load(name, manager)) {
            assertThat(loaded.getShape()).isEqualTo(file.shape(name));
            assertThat(loaded.toFloatArray()).containsExactly(file.floats(name));
        }
    }

    @Test
    void viewsAreReadThroughTheirStrides() throws IOException {
        TensorFile file = TensorFile.open(FOLDER.resolve("zip.pth"));
        assertThat(file.floats("column")).containsExactly(4 / 7f, 10 / 7f, 16 / 7f, 22 / 7f);
        assertThat(file.longs("permuted")).startsWith(0, 4, 8, 12, 16, 20, 1, 5);
    }

    @ParameterizedTest
    @CsvSource({"rar-small, rar", "vqgan-small, vqgan"})
    void goldenWeightsAreThoseOfTheFormula(String folder, String name) throws IOException {
        String json = Files.readString(GOLDEN.resolve(folder).resolve(name + ".json"));
        FillFormula formula = FillFormula.parse(json, name);
        TensorFile file = TensorFile.open(GOLDEN.resolve(folder).resolve(name + ".bin"));
        assertThat(file.names())
                .containsExactlyInAnyOrderElementsOf(formula.parameters().keySet());
        for (String tensor : file.names()) {
            assertThat(file.shape(tensor))
                    .isEqualTo(formula.parameters().get(tensor).shape());
            assertThat(file.floats(tensor)).as(tensor).containsExactly(formula.values(tensor));
        }
    }

    /** As Python 2 wrote it: the dictionary's pairs in a list, names in its own texts. */
    @Test
    void dictionariesOfPairsAreRead() throws IOException {
        byte[] pickle = PickleBuilder.pickle()
                .global("collections", "OrderedDict")
                .op(']', ']', 'U', 1, 'w', 'a')
                .rebuild()
                .storage("0", 4)
                .number(1)
                .global("torch", "Size")
                .numbers(2)
                .op(0x85, PickleBuilder.REDUCE)
                .numbers(1)
                .endOfTensor()
                .op('a', 'a', 0x85, PickleBuilder.REDUCE)
                .end();
        TensorFile file = TensorFile.open(new ByteArrayInputStream(HostileZips.archive(pickle)), "x");
        assertThat(file.tensors()).containsOnlyKeys("w");
        assertThat(file.floats("w")).containsExactly(0, 0);
    }

    @Test
    void truthValuesAreZeroOrOne() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TensorInfo info = new TensorInfo("flags", ElementType.BOOL, new Shape(2));
        TensorWriter writer = TorchZip.FORMAT.begin(out, Map.of(), List.of(info));
        writer.write("flags", ByteBuffer.wrap(new byte[] {1, 7}));
        writer.finish();
        TensorFile file = TensorFile.open(new ByteArrayInputStream(out.toByteArray()), "x");
        try (NDManager manager = NDManager.newBaseManager()) {
            assertThatThrownBy(() -> file.load("flags", manager))
                    .isInstanceOf(DataException.class)
                    .hasMessage("Tensor 'flags' of x has the boolean value 7, which is neither 0 nor 1");
        }
    }
}
