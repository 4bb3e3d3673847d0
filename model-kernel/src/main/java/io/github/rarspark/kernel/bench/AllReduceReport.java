package io.github.rarspark.kernel.bench;

import java.util.List;
import java.util.Locale;

/**
 * Times of all-reduces, in the terms of nccl-tests.
 *
 * @param what the benchmark's name
 * @param size the model whose gradient is the largest sum
 * @param ranks the number of ranks
 * @param processes whether each rank had a process of its own
 * @param device of rank 0: cpu or gpu:N
 * @param threads libtorch threads per operation
 * @param repeat the timed all-reduces per size
 * @param sums by size, ascending; the model's whole gradient comes last, once as one tensor and once through the
 *     gradient reducer
 */
public record AllReduceReport(
        String what, String size, int ranks, boolean processes, String device, int threads, int repeat, List<Sum> sums)
        implements BenchReport {
    private static final double MEBIBYTE = 1 << 20;

    /**
     * The all-reduces of one size: float32, sum, in place.
     *
     * @param bytes of the data on each rank
     * @param count of the elements
     * @param bucketBytes the maximum size of the gradient reducer's buckets; 0 for one tensor, without the reducer
     * @param seconds of one all-reduce, the mean over the runs and ranks
     * @param algorithmBandwidth 10^9 bytes per second: the bytes over the seconds
     * @param busBandwidth 10^9 bytes per second: the algorithm bandwidth times 2(n-1)/n for n ranks, which is what each
     *     rank has to send and to receive; it can be compared with a link's speed whatever the number of ranks
     */
    public record Sum(
            long bytes, long count, long bucketBytes, double seconds, double algorithmBandwidth, double busBandwidth) {
        static Sum of(long count, long bucketBytes, double seconds, int ranks) {
            long bytes = count * Float.BYTES;
            double algorithm = bytes / seconds / 1e9;
            return new Sum(bytes, count, bucketBytes, seconds, algorithm, algorithm * 2 * (ranks - 1) / ranks);
        }
    }

    @Override
    public String text() {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s %s, float32 sums in place, %s, %s, mean of %d runs%n%14s %12s %8s %12s %8s %8s%n%14s %12s %8s %12s %8s"
                        + " %8s",
                what,
                size,
                device,
                new BenchRequest.Ranks(ranks, processes, 0).describe(threads),
                repeat,
                "size",
                "count",
                "buckets",
                "time",
                "algbw",
                "busbw",
                "(B)",
                "(elements)",
                "(MiB)",
                "(us)",
                "(GB/s)",
                "(GB/s)"));
        for (Sum sum : sums) {
            text.append(String.format(
                    Locale.ROOT,
                    "%n%14d %12d %8s %12.1f %8.2f %8.2f",
                    sum.bytes(),
                    sum.count(),
                    sum.bucketBytes() == 0 ? "-" : String.format(Locale.ROOT, "%.4g", sum.bucketBytes() / MEBIBYTE),
                    sum.seconds() * 1e6,
                    sum.algorithmBandwidth(),
                    sum.busBandwidth()));
        }
        return text.toString();
    }
}
