package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The two position tables of a model that samples in one fixed order, merged into one (Section 4.1 of the paper). The
 * place of a token then says which place is predicted next, so the second table is not needed: it is kept, because
 * weight files have it, and holds zeros. In the one order the model computes what it did before; in any other it computes
 * nonsense, so a file's metadata names the order.
 */
public final class MergedPositions {
    /** The table that gets the sums. */
    public static final String POSITIONS = "pos_embed";
    /** The table that is added to it. */
    public static final String TARGETS = "target_aware_pos_embed";

    private static final String METADATA = "positions_merged_for";

    private MergedPositions() {}

    /**
     * The merged table of two tables [P, width], row-major: row 1 (the class) gets the target row of the first token's
     * place, the row of each token's place that of the next one, and the last token's nothing.
     *
     * @param order the raster place of the k-th token
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
     * The number of tokens of a model whose position table has this shape.
     *
     * @throws DataException if no model has
     */
    public static int tokens(Shape positions, String file) {
        long tokens = positions.dimension() == 3 ? positions.get(1) - RarConfig.SPARE_POSITIONS : 0;
        if (tokens < 1 || positions.get(0) != 1) {
            throw new DataException("Cannot merge the positions of " + file + ": '" + POSITIONS + "' has the shape "
                    + positions + ", which no RAR model has");
        }
        return (int) tokens;
    }

    /** A file's metadata with the order added that its positions are merged for. */
    public static Map<String, String> metadata(Map<String, String> before, ScanOrder order) {
        Map<String, String> after = new TreeMap<>(before);
        after.put(METADATA, order.label());
        return after;
    }

    /**
     * The order that a file's positions are merged for; empty if they are not merged.
     *
     * @throws DataException if the metadata names an order that does not exist
     */
    public static Optional<ScanOrder> order(Map<String, String> metadata) {
        try {
            return Optional.ofNullable(metadata.get(METADATA)).map(ScanOrder::labelled);
        } catch (IllegalArgumentException e) {
            throw new DataException("Cannot use weights whose metadata says " + METADATA + ": " + e.getMessage(), e);
        }
    }

    /**
     * Checks that weights can be used in an order.
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
