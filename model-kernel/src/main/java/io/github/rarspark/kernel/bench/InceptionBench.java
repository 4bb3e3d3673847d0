package io.github.rarspark.kernel.bench;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterTable;

/** Inception v3 with initial weights on images of 256 pixels: resize, features, spatial features, logits. */
public final class InceptionBench {
    private static final int SIDE = 256;

    private InceptionBench() {}

    /** Bytes to activations. */
    public static BenchResult features(BenchRequest request) {
        byte[] pixels = new byte[request.batch() * SIDE * SIDE * 3];
        RandomStream random = RandomStream.of(0, Purpose.SPLIT);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) random.nextInt(256);
        }
        ParameterTable table = BenchSizes.inception(request.size());
        Torch.setIntraOpThreads(request.threads());
        try (NDManager manager = NDManager.newBaseManager(request.device());
                NamedTensors weights = NamedTensors.initial(table, 0, manager);
                InceptionV3 network = new InceptionV3(weights, manager, request.precision())) {
            double[] seconds = Timing.run(request, run -> {
                try (TensorScope s = TensorScope.inference(manager);
                        Autocast autocast = request.precision().autocast(s.device())) {
                    network.activations(s, s.bytes(pixels, request.batch(), SIDE, SIDE, 3));
                }
            });
            return BenchResult.of("features", request, seconds, request.batch() * flops(table), 1, 1);
        }
    }

    /** Floating-point operations of the convolutions per image. */
    private static double flops(ParameterTable table) {
        return table.specs().stream()
                .filter(spec -> spec.shape().dimension() == 4)
                .mapToDouble(spec -> 2.0 * spec.shape().size() * Math.pow(side(spec.name()), 2))
                .sum();
    }

    /** The side of a convolution's output map. */
    private static int side(String name) {
        String[] parts = name.split("\\.");
        return switch (parts[0]) {
            case "Conv2d_1a_3x3" -> 149;
            case "Conv2d_2a_3x3", "Conv2d_2b_3x3" -> 147;
            case "Conv2d_3b_1x1" -> 73;
            case "Conv2d_4a_3x3" -> 71;
            case "Mixed_5b", "Mixed_5c", "Mixed_5d" -> 35;
            case "Mixed_6a" -> parts[1].equals("branch3x3") || parts[1].equals("branch3x3dbl_3") ? 17 : 35;
            case "Mixed_7a" -> parts[1].equals("branch3x3_2") || parts[1].equals("branch7x7x3_4") ? 8 : 17;
            case "Mixed_7b", "Mixed_7c" -> 8;
            default -> 17;
        };
    }
}
