package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.rar.AdaLn.Conditions;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * The modulations of upcoming positions, computed ahead of the decoding loop: each product covers all distinct
 * conditions at a chunk of positions. A chunk is freed when the next one is computed, the last one with the given
 * manager.
 *
 * <p>Shapes: R rows, U distinct conditions, C positions of the chunk, D width, M = 6 D (blocks) or 2 D (head).
 */
final class ModulationTable {
    /** Rows of one product: enough to keep the processor busy, few enough to stay small in memory. */
    private static final int PRODUCT_ROWS = 256;

    private final AdaLn adaLn;
    private final NDManager manager;
    private final Conditions conditions;
    private final int positions;
    private final int chunkLength;
    private Chunk chunk;

    /** The products of positions [start, end) and the manager that owns them. */
    private record Chunk(NDManager manager, int start, int end, List<NDArray> blocks_UCM, NDArray head_UCM) {}

    /** @param positions the total number of positions */
    ModulationTable(AdaLn adaLn, NDManager manager, long[] conditions_R, int positions) {
        this.adaLn = adaLn;
        this.manager = manager;
        this.conditions = Conditions.of(manager, conditions_R);
        this.positions = positions;
        this.chunkLength = Math.max(1, PRODUCT_ROWS / conditions.distinct());
    }

    /** The modulations of positions [position, position + count); earlier positions are no longer available. */
    Modulations at(int position, int count) {
        if (chunk == null || position + count > chunk.end()) {
            if (chunk != null) {
                chunk.manager().close();
            }
            chunk = compute(position, Math.min(position + Math.max(chunkLength, count), positions));
        }
        Chunk current = chunk;
        int offset = position - current.start();
        return new Modulations() {
            @Override
            public Modulation.OfBlock ofBlock(TensorScope s, int layer) {
                return Modulation.ofBlock(s, rows(s, current.blocks_UCM().get(layer), offset, count));
            }

            @Override
            public Modulation ofHead(TensorScope s, int first) {
                return Modulation.ofHead(s, rows(s, current.head_UCM(), offset + first, count - first));
            }
        };
    }

    private NDArray rows(TensorScope s, NDArray product_UCM, int offset, int count) {
        return conditions.ofRows(s, s.narrow(product_UCM, 1, offset, count));
    }

    private Chunk compute(int start, int end) {
        NDManager owner = manager.newSubManager();
        // The products outlive the step that first asks for them, so they do not belong to its scope.
        try (TensorScope s = TensorScope.inference(owner)) {
            NDArray input_UCD = adaLn.input(s, conditions, start, end - start);
            List<NDArray> blocks_UCM = adaLn.blocks().stream()
                    .map(block -> s.keep(block.forward(s, input_UCD)))
                    .toList();
            return new Chunk(owner, start, end, blocks_UCM, s.keep(adaLn.head().forward(s, input_UCD)));
        }
    }
}
