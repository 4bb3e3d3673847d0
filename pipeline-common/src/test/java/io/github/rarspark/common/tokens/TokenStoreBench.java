package io.github.rarspark.common.tokens;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.kernel.random.EpochOrder;
import io.github.rarspark.kernel.testing.ProcessMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.hadoop.conf.Configuration;

/**
 * Measures the token store; docs/performance.md has the commands. {@code make TOKENS SHARDS} writes shards of 100,000 rows
 * of 256 random tokens, {@code open TOKENS DIRECTORY} opens their store, which builds it if there is none, and reads an
 * epoch of it. {@code remove DIRECTORY} removes the store.
 */
final class TokenStoreBench {
    private static final int GRID = 16;
    private static final int CODES = 1024;
    private static final int CLASSES = 1000;
    private static final int ROWS_PER_SHARD = 100_000;
    private static final String RUN = "bench";
    private static final Duration LIMIT = Duration.ofHours(1);

    private TokenStoreBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 3 && args[0].equals("make")) {
            make(args[1], Integer.parseInt(args[2]));
        } else if (args.length == 3 && args[0].equals("open")) {
            open(args[1], stores(args[2]));
        } else if (args.length == 2 && args[0].equals("remove")) {
            stores(args[1]).remove();
        } else {
            throw new IllegalArgumentException("give make TOKENS SHARDS, open TOKENS DIRECTORY or remove DIRECTORY");
        }
    }

    private static TokenStores stores(String directory) {
        return new TokenStores(List.of(Path.of(directory)), RUN, 1 << 30);
    }

    private static void make(String tokens, int shards) throws IOException {
        int[] rows = new int[shards];
        Arrays.fill(rows, ROWS_PER_SHARD);
        TokenSets.write(
                new Storage(new Configuration()),
                tokens,
                GRID,
                CODES,
                List.of(),
                number -> {
                    SplittableRandom random = new SplittableRandom(number);
                    return new TokenRow(
                            "row " + number,
                            random.nextInt(CLASSES),
                            0,
                            random.longs(GRID * GRID, 0, CODES).toArray());
                },
                rows);
    }

    private static void open(String tokens, TokenStores stores) throws IOException, InterruptedException {
        TokenSource source = TokenShards.open(new Storage(new Configuration()), tokens);
        long start = System.nanoTime();
        try (TokenStore store = stores.open(source, LIMIT)) {
            report("open", store.rows(), start);
            start = System.nanoTime();
            EpochOrder order = new EpochOrder(1, 0, store.rows());
            long[] row = new long[GRID * GRID];
            long sum = 0;
            for (long i = 0; i < store.rows(); i++) {
                long sample = order.sampleAt(i);
                store.copyTokens(sample, row, 0);
                sum += store.classId(sample) + row[(int) (i % row.length)];
            }
            report("read in an epoch's order, sum " + sum, store.rows(), start);
        }
    }

    private static void report(String what, long rows, long start) throws IOException {
        System.out.printf(
                Locale.ROOT,
                "%s: %,d rows in %.1f s; peak heap %d MB; resident: anonymous %d MB, mapped %d MB%n",
                what,
                rows,
                (System.nanoTime() - start) / 1e9,
                ProcessMemory.peakHeap() >> 20,
                ProcessMemory.bytes("RssAnon") >> 20,
                ProcessMemory.bytes("RssFile") >> 20);
    }
}
