package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.tensor.Torch;
import java.util.function.IntConsumer;

/** Seconds of repeated runs. */
final class Timing {
    private Timing() {}

    /**
     * The seconds of each timed run until its device has done it, after the warm-up; the action receives the run's number.
     */
    static double[] run(BenchRequest request, IntConsumer action) {
        for (int i = 0; i < request.warmup(); i++) {
            action.accept(i);
        }
        Torch.await(request.device());
        double[] seconds = new double[request.repeat()];
        for (int i = 0; i < seconds.length; i++) {
            long start = System.nanoTime();
            action.accept(request.warmup() + i);
            Torch.await(request.device());
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        return seconds;
    }
}
