package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The models that can be benchmarked, by name. */
final class BenchSizes {
    private static final int FREE_CLASSES = 10;
    private static final Map<String, RarConfig> RAR = Map.of(
            "rar-s", RarConfig.of(768, 12, 16, 3072, 256, 1024, 1000),
            "rar-b", RarConfig.of(768, 24, 16, 3072, 256, 1024, 1000),
            "rar-l", RarConfig.of(1024, 24, 16, 4096, 256, 1024, 1000),
            "rar-xl", RarConfig.of(1280, 32, 16, 5120, 256, 1024, 1000),
            "rar-xxl", RarConfig.of(1408, 40, 16, 6144, 256, 1024, 1000));

    private BenchSizes() {}

    static RarConfig rar(String size) {
        RarConfig named = RAR.get(size);
        if (named != null) {
            return named;
        }
        if (!size.matches("\\d+(x\\d+){5}")) {
            throw new IllegalArgumentException("Cannot use --size " + size
                    + ": give rar-s, rar-b, rar-l, rar-xl, rar-xxl or HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES");
        }
        int[] n = Arrays.stream(size.split("x")).mapToInt(Integer::parseInt).toArray();
        return RarConfig.of(n[0], n[1], n[2], n[3], n[4], n[5], FREE_CLASSES);
    }

    /** The public tokenizer for 256 pixels. */
    static VqganConfig vqgan(String size) {
        if (!size.equals("f16")) {
            throw new IllegalArgumentException("Cannot use --size " + size + ": give f16, the public tokenizer");
        }
        return new VqganConfig(128, List.of(1, 1, 2, 2, 4), 2, 256, 1024);
    }

    /** The network of published metrics. */
    static ParameterTable inception(String size) {
        if (!size.equals("inception")) {
            throw new IllegalArgumentException("Cannot use --size " + size + ": give inception, the only size");
        }
        return InceptionV3.table();
    }
}
