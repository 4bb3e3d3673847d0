package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lists and plans 300,000 files in a JVM that is driver and executor and has a heap of 1 GB; prints what it took. */
@Tag("soak")
class ListingAtScaleTest {
    private static final int CLASSES = 1000;
    private static final int IMAGES_PER_CLASS = 300;
    private static final int IMAGES_PER_UNIT = 1000;

    @TempDir
    Path temp;

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void threeHundredThousandFilesNeedAGigabyte() throws Exception {
        for (int c = 0; c < CLASSES; c++) {
            Path folder = temp.resolve(String.format(Locale.ROOT, "n%08d", 1_440_764 + 7919 * c));
            Files.createDirectory(folder);
            for (int i = 0; i < IMAGES_PER_CLASS; i++) {
                Files.writeString(folder.resolve(folder.getFileName() + "_" + 37 * i + ".JPEG"), "image " + i);
            }
        }
        Process process = Jvm.of(List.of("-Xmx1g"), Lister.class.getName(), temp.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            System.out.println(printed);
            assertThat(process.waitFor()).isZero();
            assertThat(printed).contains("300000 files, 300 units");
        } finally {
            process.destroyForcibly();
        }
    }

    /** Lists and plans the folder that it gets. */
    static final class Lister {
        public static void main(String[] args) throws IOException {
            try (SparkSession session = LocalSpark.start(2)) {
                long start = System.nanoTime();
                ListedImages images = ImageSources.open(
                        session, new Storage(new Configuration()), "--input", args[0], Optional.empty());
                String hash = images.sha256();
                List<ImageUnit> units = images.units(IMAGES_PER_UNIT);
                double seconds = (System.nanoTime() - start) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "%d files, %d units, hash %s, %.1f s%n",
                        images.images().orElseThrow(),
                        units.size(),
                        hash.substring(0, 8),
                        seconds);
                System.out.printf(
                        Locale.ROOT,
                        "listing %d bytes a file, largest unit %d bytes, peak heap %d MB%n",
                        serialised(images.listing()) / images.images().getAsLong(),
                        units.stream().mapToLong(Lister::serialised).max().orElseThrow(),
                        peakHeap() >> 20);
            }
        }

        private static long serialised(Object object) {
            try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(object);
                out.flush();
                return bytes.size();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        /** The sum of the pools' peaks, which is at least the heap's. */
        private static long peakHeap() {
            return ManagementFactory.getMemoryPoolMXBeans().stream()
                    .filter(pool -> pool.getType() == MemoryType.HEAP)
                    .map(MemoryPoolMXBean::getPeakUsage)
                    .mapToLong(java.lang.management.MemoryUsage::getUsed)
                    .sum();
        }
    }
}
