package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.rar.AdaLn.Conditions;
import io.github.rarspark.kernel.rar.AdaLn.Products;
import io.github.rarspark.kernel.tensor.ModulationRows;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

/**
 * The modulations of upcoming positions, computed ahead of the decoding loop: each product covers all distinct classes at
 * a chunk of positions. A chunk is freed when the next one is computed, the last one with the given manager. Those of no
 * class come from the model, if it has computed them.
 *
 * <p>Shapes: R rows, U distinct conditions, C positions of the chunk, D width, M = 6 D (blocks) or 2 D (head).
 */
final class ModulationTable {
    /** Rows of one product: enough to keep the processor busy, few enough to stay small in memory. */
    private static final int PRODUCT_ROWS = 256;

    private final AdaLn adaLn; // null in a plain model
    private final Products
            unconditional; // of no class at all positions, which the last condition reads; null if none does
    private final NDManager manager;
    private final DataType type;
    private final Conditions conditions;
    private final NDArray computed_U1; // the conditions whose products are computed here
    private final int positions;
    private final int chunkLength;
    private Products chunk; // of positions [chunkStart, chunkEnd)
    private int chunkStart;
    private int chunkEnd;

    /**
     * Creates a table for a batch.
     *
     * @param manager the owner of what is computed
     */
    ModulationTable(RarModel model, NDManager manager, long[] conditions_R) {
        this.adaLn = model.adaLn();
        this.manager = manager;
        this.type = model.type();
        this.conditions = Conditions.of(manager, conditions_R);
        // Ids are ascending, and the largest one stands for no class.
        boolean shared = model.unconditional() != null
                && Arrays.stream(conditions_R)
                        .anyMatch(id -> id == model.config().space().noClass());
        this.unconditional = shared ? model.unconditional() : null;
        int count = conditions.distinct() - (shared ? 1 : 0);
        try (TensorScope s = TensorScope.inference(manager)) {
            this.computed_U1 = s.keep(s.narrow(conditions.distinct_U1(), 0, 0, count));
        }
        this.positions = model.config().positions() - 1;
        this.chunkLength = chunkLength(Math.max(1, count));
        if (count == 0) { // all rows are without a class: the model's own products are all there is
            this.chunk = unconditional;
            this.chunkEnd = positions;
        }
    }

    /** The positions of a chunk that is computed for so many conditions. */
    static int chunkLength(int conditions) {
        return Math.max(1, PRODUCT_ROWS / conditions);
    }

    /** The modulations of one position; earlier positions are no longer available. */
    Modulations at(int position) {
        if (adaLn != null && position >= chunkEnd) {
            if (chunk != null) {
                chunk.close();
            }
            chunkStart = position;
            chunkEnd = Math.min(position + chunkLength, positions);
            chunk = compute();
        }
        Products current = chunk;
        int offset = position - chunkStart;
        return new Modulations() {
            @Override
            public Modulation.OfBlock ofBlock(TensorScope s, int layer) {
                ModulationRows rows =
                        rows(current == null ? null : current.blocks_UPM().get(layer), offset);
                return new Modulation.OfBlock(new OfRows(rows, type, 0, 1, 2), new OfRows(rows, type, 3, 4, 5));
            }

            @Override
            public Modulation ofHead(TensorScope s, int first) {
                // The scale comes first, and there is no gate.
                return new OfRows(rows(current == null ? null : current.head_UPM(), offset), type, 1, 0, -1);
            }
        };
    }

    private Products compute() {
        Products own = adaLn.products(manager, type, computed_U1, chunkStart, chunkEnd);
        if (unconditional == null) {
            return own;
        }
        try (own) {
            return own.with(manager, unconditional, chunkStart);
        }
    }

    private ModulationRows rows(NDArray product_UCM, int offset) {
        return product_UCM == null
                ? ModulationRows.NONE
                : new ModulationRows(product_UCM, conditions.ofRow_B(), offset);
    }

    /** One branch, with its chunks of M. */
    private record OfRows(ModulationRows rows, DataType type, int shift, int scale, int gate) implements Modulation {
        @Override
        public NDArray input(TensorScope s, LayerNorm norm, NDArray x_R1D) {
            return s.modulatedNorm(x_R1D, norm.norm(), type, rows, shift, scale);
        }

        @Override
        public NDArray residual(TensorScope s, NDArray x_R1D, NDArray branch_R1D) {
            return s.modulatedResidual(x_R1D, branch_R1D, rows, gate);
        }
    }
}
