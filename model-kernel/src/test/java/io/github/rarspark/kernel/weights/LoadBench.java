package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.testing.ProcessMemory;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.format.WritableFormat;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.kernel.weights.torch.TorchZip;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Measures how long a weight file takes to load and what memory that needs; docs/performance.md has the commands.
 * {@code make b|xxl FILE} writes a RAR model of a published size with random weights, {@code load FILE} loads one.
 */
final class LoadBench {
    private static final Map<String, RarConfig> SIZES = Map.of(
            "b", RarConfig.of(768, 24, 16, 3072, 256, 1024, 1000),
            "xxl", RarConfig.of(1408, 40, 16, 6144, 256, 1024, 1000));

    private LoadBench() {}

    public static void main(String[] args) throws IOException {
        if (args.length == 3 && args[0].equals("make") && SIZES.containsKey(args[1])) {
            make(SIZES.get(args[1]), Path.of(args[2]));
        } else if (args.length == 2 && args[0].equals("load")) {
            load(Path.of(args[1]));
        } else {
            throw new IllegalArgumentException("give make b|xxl FILE, or load FILE");
        }
    }

    private static void make(RarConfig config, Path path) throws IOException {
        WritableFormat format = path.toString().endsWith(".safetensors") ? Safetensors.FORMAT : TorchZip.FORMAT;
        List<TensorInfo> infos = config.parameters().specs().stream()
                .map(spec -> new TensorInfo(spec.name(), ElementType.F32, spec.shape()))
                .toList();
        SplittableRandom random = new SplittableRandom(1);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path), 1 << 20)) {
            TensorWriter writer = format.begin(out, Map.of(), infos);
            for (TensorInfo info : infos) {
                ByteBuffer data = ByteBuffer.allocate((int) info.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining()) {
                    data.putFloat((float) random.nextDouble(-0.04, 0.04));
                }
                writer.write(info.name(), data.flip());
            }
            writer.finish();
        }
    }

    private static void load(Path path) throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            manager.ones(new Shape(1)); // libtorch is there
            long libraries = ProcessMemory.bytes("RssAnon");
            long start = System.nanoTime();
            TensorFile file = TensorFile.open(path);
            long opened = System.nanoTime();
            try (NamedTensors tensors = NamedTensors.load(file, manager)) {
                long loaded = System.nanoTime();
                System.out.printf(
                        Locale.ROOT,
                        "%s: %,d bytes, %d tensors, opened in %.3f s, loaded in %.2f s; peak heap %d MB;"
                                + " tensors and heap %d MB beyond the libraries' %d MB; peak RSS with mapped pages %d MB%n",
                        path.getFileName(),
                        Files.size(path),
                        tensors.asMap().size(),
                        (opened - start) / 1e9,
                        (loaded - start) / 1e9,
                        ProcessMemory.peakHeap() >> 20,
                        ProcessMemory.bytes("RssAnon") - libraries >> 20,
                        libraries >> 20,
                        ProcessMemory.bytes("VmHWM") >> 20);
            }
        }
    }
}
