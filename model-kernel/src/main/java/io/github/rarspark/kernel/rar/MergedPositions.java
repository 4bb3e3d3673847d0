package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The two position tables of a model that samples in one fixed order, merged into one (Section 4.1 of the paper). In a
 * fixed order, the position of a token determines the position predicted next, so the second table is redundant: it is
 * kept for compatibility with weight files and holds zeros. The merged model computes the same in that order and
 * nonsense in any other, so the file's metadata names the order.
 */
public final class MergedPositions {
    /** The table that gets the sums. */
    public static final String POSITIONS = "pos_embed";
    /** The table that is added to it. */
    public static final String TARGETS = "target_aware_pos_embed";

    private static final String METADATA = "positions_merged_for";

    private MergedPositions() {}

    /**
     * Merges two tables [P, width], row-major: to row 1 (the class) it adds the target row of the first token's
     * position, to the row of each token's position that of the next token, and to the last token's row nothing.
     *
     * @param order the raster position of the k-th token
     */
    public static float[] merge(float[] positions, float[] targets, int width, int[] order) {
        float[] merged = positions.clone();
        int row = 1;
        for (int place : order) {
            int target = 2 + place;
            for (int i = 0; i < width; i++) {
                merged[row * width + i] += targets[target * width + i];
            }
            row = target;
        }
        return merged;
    }

    /**
     * The number of image tokens of a model, from the shape of its position table.
     *
     * @throws DataException if no RAR model has such a table
     */
    public static int tokens(Shape positions, String file) {
        long tokens = positions.dimension() == 3 ? positions.get(1) - RarConfig.SPARE_POSITIONS : 0;
        if (tokens < 1 || positions.get(0) != 1) {
            throw new DataException("Cannot merge the positions of " + file + ": '" + POSITIONS
                    + "' has the unexpected shape " + positions);
        }
        return (int) tokens;
    }

    /** A file's metadata plus the order that its positions are merged for. */
    public static Map<String, String> metadata(Map<String, String> before, ScanOrder order) {
        Map<String, String> after = new TreeMap<>(before);
        after.put(METADATA, order.label());
        return after;
    }

    /**
     * The order that a file's positions are merged for; empty if they are not merged.
     *
     * @throws DataException if the metadata names an unknown order
     */
    public static Optional<ScanOrder> order(Map<String, String> metadata) {
        try {
            return Optional.ofNullable(metadata.get(METADATA)).map(ScanOrder::labelled);
        } catch (IllegalArgumentException e) {
            throw new DataException("Cannot use weights whose metadata says " + METADATA + ": " + e.getMessage(), e);
        }
    }

    /**
     * Checks that weights can be used with an order.
     *
     * @param asked the order; empty for random ones
     * @throws DataException if the file's positions are merged for another one
     */
    public static void require(Map<String, String> metadata, Optional<ScanOrder> asked, String file, String setting) {
        Optional<ScanOrder> merged = order(metadata);
        if (merged.isPresent() && !merged.equals(asked)) {
            throw new DataException("Cannot use " + file + " with " + setting + "="
                    + asked.map(ScanOrder::label).orElse("random") + ": its positions are merged for the order "
                    + merged.get().label() + "; set " + setting + " to that, or give the weights before merging");
        }
    }
}
