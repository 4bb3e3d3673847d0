package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NativeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BridgeTest {
    @Test
    void theLoadedLibraryWasBuiltFromTheSources() throws IOException, NoSuchAlgorithmException {
        Path sources = Path.of("src/main/native");
        List<String> names;
        try (Stream<Path> files = Files.list(sources)) {
            names = files.map(path -> path.getFileName().toString()).sorted().toList();
        }
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String name : names) {
            digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
            digest.update(Files.readAllBytes(sources.resolve(name)));
        }
        assertThat(Torch.bridgeSourceHash())
                .as("rebuild the bridge with mvn -Pnative")
                .isEqualTo(HexFormat.of().formatHex(digest.digest()));
    }

    @Test
    void aNativeFailureIsOneLine() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope scope = TensorScope.inference(manager)) {
            NDArray a = scope.floats(new float[6], 2, 3);
            assertThatThrownBy(() -> scope.matmul(a, a))
                    .isInstanceOf(NativeException.class)
                    .hasMessageContaining("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void deterministicModeIsSwitchedOnAndOff() {
        Torch.setDeterministic(true);
        try {
            assertThat(Torch.isDeterministic()).isTrue();
        } finally {
            Torch.setDeterministic(false);
        }
        assertThat(Torch.isDeterministic()).isFalse();
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
}
