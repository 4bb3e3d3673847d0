package io.github.rarspark.kernel.weights.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("device")
class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBackBitForBit() throws IOException {
        float[] floats = {Float.MIN_VALUE, -0f, Float.NEGATIVE_INFINITY, 1 / 3f, Float.MAX_VALUE, 0x1p-126f};
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("z", manager.create(floats, new Shape(2, 3)));
            tensors.put("a.ş", manager.create(new long[] {Long.MIN_VALUE, 7}, new Shape(2)));
            tensors.put(
                    "byte",
                    manager.create(new byte[] {-1, 0, 127}, new Shape(3)).toType(DataType.UINT8, true));
            tensors.put("double", manager.create(Math.PI));
            tensors.put("int", manager.create(new int[] {-5, 5}, new Shape(1, 2)));
            tensors.put("truth", manager.create(new boolean[] {true, false}));
            tensors.put("none", manager.create(new Shape(0, 4), DataType.FLOAT32));
            byte[] bytes = write(Map.of("b", "2", "a", "1\n"), tensors);
            Path path = Files.write(folder.resolve("x.safetensors"), bytes);

            for (TensorFile file :
                    List.of(TensorFile.open(path), TensorFile.open(new ByteArrayInputStream(bytes), "stream"))) {
                assertThat(file.names()).containsExactlyElementsOf(tensors.keySet());
                assertThat(file.metadata()).containsExactly(Map.entry("a", "1\n"), Map.entry("b", "2"));
                assertThat(file.floats("z")).containsExactly(floats);
                assertThat(file.longs("a.ş")).containsExactly(Long.MIN_VALUE, 7);
                assertThat(file.longs("byte")).containsExactly(255, 0, 127);
                assertThat(file.longs("truth")).containsExactly(1, 0);
                assertThat(file.doubles("double")).containsExactly(Math.PI);
                assertThat(file.shape("double")).isEqualTo(new Shape());
                assertThat(file.tensor("none").bytes()).isZero();
                try (NamedTensors read = NamedTensors.load(file, manager)) {
                    assertThat(write(file.metadata(), read.asMap())).isEqualTo(bytes);
                }
            }
        }
    }

    @Test
    void loadedTensorsDoNotShareTheMappedPages() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            byte[] bytes = write(Map.of(), Map.of("w", manager.create(new float[] {1, 2})));
            TensorFile file = TensorFile.open(Files.write(folder.resolve("w.safetensors"), bytes));
            NDArray loaded = file.load("w", manager);
            loaded.addi(1);
            assertThat(loaded.toFloatArray()).containsExactly(2, 3);
            assertThat(file.floats("w")).containsExactly(1, 2);
        }
    }

    @Test
    void headerIsWrittenAsThePublicLibraryDoes() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        SafetensorsWriter writer = new SafetensorsWriter(
                out, Map.of("format", "pt"), List.of(new TensorInfo("w", ElementType.F32, new Shape(1, 2))));
        writer.write("w", ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
        writer.finish();
        String json = "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}";
        String padded = json + " ".repeat((8 - json.length() % 8) % 8);
        ByteBuffer expected = ByteBuffer.allocate(8 + padded.length() + 8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded.length())
                .put(padded.getBytes(StandardCharsets.UTF_8))
                .put(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
        assertThat(padded.length() % 8).isZero();
        assertThat(out.toByteArray()).isEqualTo(expected.array());
    }

    @Test
    void halfPrecisionTypesBecomeSinglePrecision() throws IOException {
        short[] halves = {0x3c00, (short) 0xc000, 0x7bff, 0x0001, (short) 0x8000, 0x7c00, 0x3555};
        float[] values = {1, -2, 65504, 0x1p-24f, -0f, Float.POSITIVE_INFINITY, 0.333251953125f};
        short[] brains = {0x3f80, (short) 0xc000, 0x7f7f, 0x0001, (short) 0x8000, 0x7f80, 0x3eaa};
        float[] brainValues = {1, -2, 0x1.fep127f, 0x1p-133f, -0f, Float.POSITIVE_INFINITY, 0.33203125f};
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Shape shape = new Shape(halves.length);
        SafetensorsWriter writer = new SafetensorsWriter(
                out,
                Map.of(),
                List.of(
                        new TensorInfo("half", ElementType.F16, shape),
                        new TensorInfo("brain", ElementType.BF16, shape)));
        writer.write("half", bytes(halves));
        writer.write("brain", bytes(brains));
        writer.finish();
        TensorFile file = TensorFile.open(new ByteArrayInputStream(out.toByteArray()), "stream");
        assertThat(file.floats("half")).containsExactly(values);
        assertThat(file.floats("brain")).containsExactly(brainValues);
        try (NDManager manager = NDManager.newBaseManager()) {
            assertThat(file.load("half", manager).toFloatArray()).containsExactly(values);
        }
    }

    @Test
    void wrongRequestsSayWhatTheFileHas() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            byte[] bytes = write(Map.of(), Map.of("w", manager.create(new long[] {1, 2})));
            TensorFile file = TensorFile.open(new ByteArrayInputStream(bytes), "x");
            assertThatThrownBy(() -> file.floats("v"))
                    .isInstanceOf(DataException.class)
                    .hasMessage("No tensor 'v' in x; it has 1, the first is 'w'");
            assertThatThrownBy(() -> file.floats("w"))
                    .isInstanceOf(DataException.class)
                    .hasMessage("Tensor 'w' of x has type I64 instead of F32, F16 or BF16");
        }
    }

    @Test
    void writerAcceptsOnlyWhatItsHeaderAnnounced() throws IOException {
        List<TensorInfo> infos = List.of(
                new TensorInfo("a", ElementType.U8, new Shape(2)), new TensorInfo("b", ElementType.U8, new Shape(2)));
        SafetensorsWriter writer = new SafetensorsWriter(new ByteArrayOutputStream(), Map.of(), infos);
        assertThatThrownBy(() -> writer.write("b", ByteBuffer.allocate(2)))
                .hasMessage("Cannot write tensor 'b': the next declared tensor is 'a'");
        assertThatThrownBy(() -> writer.write("a", ByteBuffer.allocate(3)))
                .hasMessage("Cannot write tensor 'a': 3 bytes instead of 2");
        writer.write("a", ByteBuffer.allocate(2));
        assertThatThrownBy(writer::finish).hasMessage("Cannot finish the file before tensor 'b', number 2 of 2");
        assertThatThrownBy(() -> new SafetensorsWriter(
                        new ByteArrayOutputStream(), Map.of(), List.of(infos.get(0), infos.get(0))))
                .hasMessage("Cannot write two tensors named 'a'");
    }

    private static byte[] write(Map<String, String> metadata, Map<String, NDArray> tensors) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Safetensors.write(out, metadata, tensors);
        return out.toByteArray();
    }

    private static ByteBuffer bytes(short[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asShortBuffer().put(values);
        return bytes;
    }
}
