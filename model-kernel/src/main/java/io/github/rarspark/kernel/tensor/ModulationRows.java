package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;

/**
 * The modulations that a decoding step reads, one row for each of its own. Shapes: R rows, U conditions, P positions, M
 * the width of all modulations of a block.
 *
 * @param table_UPM null for none
 * @param conditionOfRow_R int64, the index in the table; null for none
 * @param position the one that is read, from 0
 */
public record ModulationRows(NDArray table_UPM, NDArray conditionOfRow_R, int position) {
    /** No modulation. */
    public static final ModulationRows NONE = new ModulationRows(null, null, 0);
}
