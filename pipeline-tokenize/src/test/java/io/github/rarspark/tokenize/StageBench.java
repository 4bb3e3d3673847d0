package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.tokenize.TokenizePlan.Shard;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;

/**
 * A task whose encoder sleeps instead, beside the time of its slower side. Run by hand: its arguments are a folder for the
 * photographs, their number, and settings THREADS:MILLISECONDS, decoding threads and the sleep for a batch of ten crops.
 */
final class StageBench {
    private static final int CROPS = 10;
    private static final int TOKENS = 256;

    private StageBench() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int images = Integer.parseInt(arguments[1]);
        Storage storage = new Storage(new Configuration());
        TokenizeFixture fixture = new TokenizeFixture(Files.createTempDirectory("bench"));
        TokenizerFile tokenizer = TokenizerFile.inspect(storage, fixture.tokenizer.toString());
        writePhotographs(folder, images);
        ImageUnit unit = ImageSources.open(storage, "--input", folder.toString())
                .units(images)
                .get(0);
        for (int i = 2; i < arguments.length; i++) {
            String[] setting = arguments[i].split(":");
            int threads = Integer.parseInt(setting[0]);
            int sleep = Integer.parseInt(setting[1]);
            Path output = Files.createTempDirectory("bench");
            TokenizeTask task = new TokenizeTask(
                    storage,
                    output.toString(),
                    "plan",
                    tokenizer,
                    CropSet.TEN_CROP,
                    256,
                    1,
                    CROPS,
                    1,
                    threads,
                    JobDevice.CPU);
            long start = System.nanoTime();
            StageSeconds stages = task.write(new Shard("part.parquet", unit), crops -> {
                        sleep(sleep);
                        return new long[crops.size() * TOKENS];
                    })
                    .stages();
            double seconds = (System.nanoTime() - start) / 1e9;
            double pool = (stages.reading() + stages.decoding() + stages.scaling()) / threads;
            double encoder = stages.encoding() + stages.writing();
            System.out.printf(
                    Locale.ROOT,
                    "%d threads, sleep of %d ms: %.2f s; decoding side %.2f s, encoding side %.2f s; %.3f times the slower;"
                            + " %s%n",
                    threads,
                    sleep,
                    seconds,
                    pool,
                    encoder,
                    seconds / Math.max(pool, encoder),
                    stages.bottleneck(true));
        }
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Smooth noise of 500 x 375 pixels, as JPEG files. */
    private static void writePhotographs(Path folder, int images) throws IOException {
        Files.createDirectories(folder.resolve("all"));
        Random random = new Random(1);
        for (int i = 0; i < images; i++) {
            Path file = folder.resolve(String.format(Locale.ROOT, "all/%05d.jpg", i));
            if (Files.exists(file)) {
                continue;
            }
            BufferedImage image = new BufferedImage(500, 375, BufferedImage.TYPE_INT_RGB);
            int[] wave = random.ints(6, 3, 40).toArray();
            for (int y = 0; y < 375; y++) {
                for (int x = 0; x < 500; x++) {
                    int red = (int) (127 + 100 * Math.sin(x / (double) wave[0] + y / (double) wave[1]));
                    int green = (int) (127 + 100 * Math.sin(x / (double) wave[2] - y / (double) wave[3]));
                    int blue = (int) (127 + 80 * Math.sin(y / (double) wave[4])) + random.nextInt(wave[5]);
                    image.setRGB(x, y, red << 16 | green << 8 | blue);
                }
            }
            ImageIO.write(image, "jpeg", file.toFile());
        }
    }
}
