package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.TestWeights;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Memory does not grow with the number of images. Prints what docs/performance.md reports. */
@Tag("soak")
@Timeout(3600)
class LongGenerationTest {
    private static final int SIDE = 256;
    private static final int IMAGES = 50_000;
    private static final int SHARD_IMAGES = 500;

    @TempDir
    private Path folder;

    @Test
    void theArchiveOfManyImagesIsWrittenWithOneGigabyteOfHeap() throws Exception {
        Path said = folder.resolve("said.txt");
        Process process = Jvm.of(List.of("-Xmx1g"), Archive.class.getName(), folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        assertThat(process.waitFor(50, TimeUnit.MINUTES)).isTrue();
        List<String> lines = Files.readAllLines(said);
        assertThat(process.exitValue()).as(() -> String.join("\n", lines)).isZero();
        System.out.println(lines.get(lines.size() - 1));
        try (NpzFile npz = NpzFile.open(
                new Storage(new Configuration()),
                folder.resolve("out").resolve(SampleSet.NPZ).toString())) {
            assertThat(npz.header("arr_0")).isEqualTo(NpyHeader.of(NpyHeader.UINT8, IMAGES, SIDE, SIDE, 3));
            long last = (long) (IMAGES - 1) * SIDE * SIDE * RgbImage.CHANNELS;
            try (InputStream pixels = npz.elements("arr_0", last)) {
                assertThat(pixels.readNBytes(SIDE * SIDE * RgbImage.CHANNELS))
                        .isEqualTo(image(IMAGES - 1).pixels());
            }
        }
    }

    /** Writes shards, and then the archive and the grid as a job does. */
    static final class Archive {
        private Archive() {}

        public static void main(String[] arguments) throws IOException {
            Storage storage = new Storage(new Configuration());
            SampleLayout layout = new SampleLayout(IMAGES, SHARD_IMAGES, SHARD_IMAGES);
            Plan plan = Plan.of("generate", "archive", Map.of(), layout.units(JobDevice.CPU));
            String output = Path.of(arguments[0], "out").toString();
            try (OutputClaim claim = Claims.claim(storage, output, plan)) {
                for (int shard = 0; shard < layout.shards(); shard++) {
                    int first = layout.first(shard);
                    SampleShard.ROWS.write(storage, claim.path(layout.shardName(shard)), plan.sha256(), sink -> {
                        for (int i = first; i < first + SHARD_IMAGES; i++) {
                            sink.accept(new Sample(i, i % 1000, 0, PngEncoder.encode(image(i))));
                        }
                    });
                }
                heapPools().forEach(MemoryPoolMXBean::resetPeakUsage);
                long started = System.nanoTime();
                new SampleSet(claim, layout, SIDE, 10, new ClassNames(List.of())).write();
                long peak = heapPools()
                        .mapToLong(pool -> pool.getPeakUsage().getUsed())
                        .sum();
                System.out.printf(
                        "archive of %d images in %.0f s, peak heap %.0f MB%n",
                        IMAGES, (System.nanoTime() - started) / 1e9, peak / 1e6);
            }
        }

        private static Stream<MemoryPoolMXBean> heapPools() {
            return ManagementFactory.getMemoryPoolMXBeans().stream().filter(pool -> pool.getType() == MemoryType.HEAP);
        }
    }

    /** A gradient with some noise, so that it compresses about as a photo does. */
    private static RgbImage image(int index) {
        byte[] pixels = new byte[SIDE * SIDE * RgbImage.CHANNELS];
        int noise = index;
        for (int i = 0; i < pixels.length; i++) {
            noise = 1_103_515_245 * noise + 12_345;
            pixels[i] = (byte) (index + i / 1024 + (noise >>> 28));
        }
        return new RgbImage(SIDE, SIDE, pixels);
    }

    @Test
    void theHeapStaysFlatWhileManyImagesAreGenerated() throws Exception {
        List<Long> heap = new ArrayList<>();
        List<Long> resident = new ArrayList<>();
        try (var session = LocalSpark.start(2)) {
            Recipe recipe = demo(5000);
            Path last = folder.resolve("samples/shard-00019-of-00020.parquet");
            Thread observer = new Thread(() -> observe(last, heap, resident));
            observer.start();
            GenerateJob.run(JobContext.of(session, recipe, true));
            observer.join(TimeUnit.SECONDS.toMillis(60));
        }
        System.out.printf("used heap in MB, twice a second: %s%nresident: %s%n", heap, resident);
        int half = heap.size() / 2;
        assertThat(half).isGreaterThan(5);
        // All images together would take 15 MB.
        assertThat(median(heap, half, heap.size())).isLessThanOrEqualTo(median(heap, 0, half) + 4);
        // The libraries of libtorch compile kernels for each size of a batch, for a while.
        assertThat(most(resident, half, heap.size())).isLessThanOrEqualTo(most(resident, 0, half) * 1.1);
    }

    private static double median(List<Long> values, int from, int to) {
        return values.subList(from, to).stream().sorted().toList().get((to - from) / 2);
    }

    private static double most(List<Long> values, int from, int to) {
        return values.subList(from, to).stream()
                .mapToLong(Long::longValue)
                .max()
                .orElseThrow();
    }

    /** Until the last shard is there. */
    private static void observe(Path last, List<Long> heap, List<Long> resident) {
        try {
            while (true) {
                Thread.sleep(500);
                System.gc();
                long used =
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
                long anonymous = Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("RssAnon:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum();
                if (Files.exists(last)) {
                    return; // The archive and the grid, which follow, take memory of their own.
                }
                heap.add(used / 1_000_000);
                resident.add(anonymous / 1000);
            }
        } catch (InterruptedException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Models of the demo's size with random weights. */
    private Recipe demo(int images) throws IOException {
        Recipe demo = Recipes.load("demo");
        Path weights = TestWeights.write(
                folder.resolve("model.safetensors"),
                Map.of(),
                KernelSettings.rar(demo.model()).parameters(),
                TestWeights.gaussian(0.05));
        ParameterTable vqgan =
                new VqganConfig(32, List.of(1, 1, 2), 1, 16, demo.model().codes()).table();
        Path tokenizer =
                TestWeights.write(folder.resolve("tokenizer.safetensors"), Map.of(), vqgan, TestWeights.gaussian(0.05));
        return demo.with(Map.of(
                "generate.weights", weights.toString(),
                "generate.tokenizer", tokenizer.toString(),
                "generate.output", folder.resolve("samples").toString(),
                "generate.shard_images", "250",
                "generate.count", Integer.toString(images)));
    }
}
