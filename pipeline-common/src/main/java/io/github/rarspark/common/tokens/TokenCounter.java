package io.github.rarspark.common.tokens;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Counts the images and tokens of rows. Used by one thread at a time. */
public final class TokenCounter implements Serializable {
    private final SortedMap<Integer, Long> images = new TreeMap<>();
    private final long[] tokens;

    /** Counts nothing yet. */
    public TokenCounter(int codes) {
        tokens = new long[codes];
    }

    /** Counts the rows of a shard. */
    public static TokenCounter of(Storage storage, String path, int codes) throws IOException {
        TokenCounter counter = new TokenCounter(codes);
        TokenFormat.ROWS.read(storage, path, counter::add);
        return counter;
    }

    /** Counts a row. */
    public void add(TokenRow row) {
        if (row.crop() == 0) {
            images.merge(row.classId(), 1L, Long::sum);
        }
        for (long token : row.tokens()) {
            tokens[(int) token]++;
        }
    }

    /** The number of images. */
    public long images() {
        return images.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The number of images by class id. */
    SortedMap<Integer, Long> classCounts() {
        return images;
    }

    /** How often each code occurs. */
    List<Long> tokenCounts() {
        return Arrays.stream(tokens).boxed().toList();
    }
}
