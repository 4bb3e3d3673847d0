package io.github.rarspark.fid;

import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import java.io.IOException;
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
        return TestWeights.write(path, metadata, CONFIG.table());
    }
}
