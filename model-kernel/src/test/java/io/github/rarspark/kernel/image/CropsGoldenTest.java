package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.weights.Safetensors;
import io.github.rarspark.kernel.weights.SafetensorsFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decoded, resampled and cut as Pillow does, byte for byte, for every file of the golden folder. */
class CropsGoldenTest {
    static Stream<String> tensors() throws Exception {
        return expected().names().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tensors")
    void cropsAreThoseOfPillow(String tensor) throws Exception {
        SafetensorsFile expected = expected();
        int size = Integer.parseInt(expected.metadata().get("size"));
        int slash = tensor.lastIndexOf('/');
        String file = tensor.substring(0, slash);
        RgbImage image = new ImageDecoder().decode(Files.readAllBytes(folder().resolve(file)), file);
        List<RgbImage> crops =
                switch (tensor.substring(slash + 1)) {
                    case "center_crop" -> List.of(Crops.centerCrop(image, size));
                    case "ten_crop" -> Crops.tenCrop(image, size);
                    default -> throw new IllegalArgumentException(tensor);
                };
        assertThat(expected.shape(tensor).size()).isEqualTo((long) crops.size() * size * size * 3);
        assertThat(bytes(crops)).isEqualTo(bytes(expected.data(tensor)));
    }

    private static SafetensorsFile expected() throws IOException, URISyntaxException {
        return Safetensors.read(folder().resolve("crops.safetensors"));
    }

    private static Path folder() throws URISyntaxException {
        return Path.of(CropsGoldenTest.class.getResource("/golden/crops").toURI());
    }

    private static byte[] bytes(List<RgbImage> images) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        images.forEach(image -> bytes.writeBytes(image.pixels()));
        return bytes.toByteArray();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
