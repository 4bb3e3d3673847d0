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
import io.github.rarspark.kernel.vqgan.VqganCost;
import io.github.rarspark.kernel.weights.NamedTensors;
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
        double flop = new VqganCost(BenchSizes.vqgan(request.size())).encodeFlop(SIDE);
        return measure("encode", request, flop, (vqgan, s) -> {
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
        return measure("decode", request, new VqganCost(config).decodeFlop(SIDE), (vqgan, s) -> {
            vqgan.decode(s, s.longs(tokens, request.batch(), side * side));
        });
    }

    private static BenchResult measure(
            String what, BenchRequest request, double flopPerImage, BiConsumer<Vqgan, TensorScope> work) {
        VqganConfig config = BenchSizes.vqgan(request.size());
        Torch.setIntraOpThreads(request.threads());
        try (NDManager manager = NDManager.newBaseManager(request.device());
                NamedTensors weights = FillFormula.of("bench", config.table()).tensors(config.table(), manager);
                Vqgan vqgan = Vqgan.forInference(config, weights, request.precision())) {
            double[] seconds = Timing.run(request, run -> {
                try (TensorScope s = TensorScope.inference(manager);
                        Autocast autocast = request.precision().autocast(s.device())) {
                    work.accept(vqgan, s);
                }
            });
            return BenchResult.of(what, request, seconds, request.batch() * flopPerImage, 1, 1);
        }
    }
}
