package io.github.rarspark.fid;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The weight file of an untrained classifier of 8 x 8 pixels. */
final class TinyClassifier {
    static final int SIDE = 8;
    static final int FEATURES = 6;

    private static final ClassifierConfig CONFIG = new ClassifierConfig(SIDE, List.of(8, 8), FEATURES, 3);

    private TinyClassifier() {}

    static Path write(Path path) throws IOException {
        Map<String, String> metadata = new TreeMap<>(CONFIG.metadata());
        metadata.put("name", "tiny classifier");
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors tensors = NamedTensors.initial(CONFIG.table(), 0, manager);
                OutputStream out = Files.newOutputStream(path)) {
            Safetensors.write(out, metadata, tensors.asMap());
        }
        return path;
    }
}
