package io.github.rarspark.kernel.dist;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.Handles;
import java.util.Collection;

/**
 * Averages gradients over the ranks while the backward pass runs (the Reducer of PyTorch's DistributedDataParallel):
 * when all gradients of a bucket are ready, its all-reduce starts. After the backward pass, every rank holds the
 * averaged gradients.
 *
 * <p>Buckets depend only on the parameter list and the bucket size, so that sums are taken in the same order in every
 * run with the same number of ranks.
 */
public final class GradientReducer extends NativeObject {
    private static final long NONE = 0;

    private final ProcessGroup group;

    /**
     * Hooks into the gradients of {@code parameters}, the same list on every rank; every loss must depend on each of
     * them.
     *
     * @param bucketBytes the maximum size of a bucket, in bytes
     */
    public GradientReducer(ProcessGroup group, Collection<NDArray> parameters, long bucketBytes) {
        super(
                "gradient reducer",
                // A rank alone has nothing to average.
                group.worldSize() == 1
                        ? NONE
                        : group.apply(address -> create(address, Handles.of(parameters), bucketBytes)),
                GradientReducer::freeUnlessNone);
        this.group = group;
    }

    /**
     * Runs a backward pass and averages its gradients with those of the other ranks, who run theirs. A pass outside
     * this method accumulates gradients on this rank only.
     */
    public void average(Runnable backward) {
        run(address -> {
            if (address == NONE) {
                backward.run();
                return;
            }
            prepare(address);
            backward.run();
            group.awaitCollectives();
        });
    }

    private static void freeUnlessNone(long address) {
        if (address != NONE) {
            free(address);
        }
    }

    private static native long create(long group, long[] parameters, long bucketBytes);

    private static native void prepare(long reducer);

    private static native void free(long reducer);
}
