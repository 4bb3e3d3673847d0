package io.github.rarspark.kernel.bench;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.golden.FillFormula;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import java.util.Arrays;
import java.util.function.BiConsumer;

/** Encoding and decoding of images of 256 pixels with the public tokenizer's architecture and formula weights. */
public final class VqganBench {
    private static final int SIDE = 256;

    private VqganBench() {}

    /** Pixels to tokens. */
    public static BenchResult encode(BenchRequest request) {
        float[] pixels = new float[request.batch() * 3 * SIDE * SIDE];
        RandomStream random = RandomStream.of(0, Purpose.SPLIT);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextDouble();
        }
        return measure("encode", request, (vqgan, s) -> {
            vqgan.encode(s, s.floats(pixels, request.batch(), 3, SIDE, SIDE));
        });
    }

    /** Tokens to pixels. */
    public static BenchResult decode(BenchRequest request) {
        VqganConfig config = BenchSizes.vqgan(request.size());
        int side = SIDE / config.downsampling();
        long[] tokens = new long[request.batch() * side * side];
        RandomStream random = RandomStream.of(0, Purpose.SPLIT);
        Arrays.setAll(tokens, i -> random.nextInt(config.codes()));
        return measure("decode", request, (vqgan, s) -> {
            vqgan.decode(s, s.longs(tokens, request.batch(), side * side));
        });
    }

    private static BenchResult measure(String what, BenchRequest request, BiConsumer<Vqgan, TensorScope> work) {
        VqganConfig config = BenchSizes.vqgan(request.size());
        Torch.setIntraOpThreads(request.threads());
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = new Vqgan(
                        config, FillFormula.of("bench", config.table()).tensors(config.table(), manager))) {
            double[] seconds = Timing.run(request, run -> {
                try (TensorScope s = TensorScope.inference(manager);
                        Autocast autocast = request.precision().autocast(s.device())) {
                    work.accept(vqgan, s);
                }
            });
            return BenchResult.of(what, request, seconds, request.batch() * flops(config, what), 1, 1);
        }
    }

    /** Floating-point operations of the convolutions per image, from the sizes of weights and feature maps. */
    private static double flops(VqganConfig config, String what) {
        String prefix = what + "r.";
        return config.table().specs().stream()
                .filter(spec -> spec.name().startsWith(prefix) && spec.shape().dimension() == 4)
                .mapToDouble(spec -> 2.0 * spec.shape().size() * pixels(config, spec.name()))
                .sum();
    }

    /** The number of pixels in a convolution's output. */
    private static double pixels(VqganConfig config, String name) {
        int smallest = SIDE / config.downsampling();
        String[] parts = name.split("\\.");
        int side =
                switch (parts[1]) {
                    case "down" -> SIDE >> Integer.parseInt(parts[2]);
                    case "up" -> SIDE >> Integer.parseInt(parts[2]) - (parts[3].equals("upsample_conv") ? 1 : 0);
                    case "conv_in" -> parts[0].equals("encoder") ? SIDE : smallest;
                    case "conv_out" -> parts[0].equals("encoder") ? smallest : SIDE;
                    default -> smallest;
                };
        return (double) side * side;
    }
}
