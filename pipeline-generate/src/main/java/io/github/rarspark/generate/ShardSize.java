package io.github.rarspark.generate;

/**
 * Chooses how many images make a shard: so few that a lost executor costs minutes, so many that loading the weights does
 * not count.
 */
final class ShardSize {
    /** What a core does in the five minutes that a shard should take. */
    private static final double FLOP_PER_CORE = 5 * 60 * 100e9;

    private static final int MOST_IMAGES = 5000;

    private ShardSize() {}

    /**
     * The number of images for a task.
     *
     * @param images of the run
     * @param flopPerImage floating-point operations
     * @param cores of a task
     * @param slots tasks that can run at a time, each of which gets a share if there are enough batches; 0 if unknown
     * @param batch images that are computed together; the result is a multiple of it
     */
    static int images(int images, double flopPerImage, int cores, int slots, int batch) {
        double minutes = FLOP_PER_CORE * cores / flopPerImage;
        double share = Math.ceil((double) images / Math.max(1, slots));
        double size = Math.min(Math.min(minutes, share), MOST_IMAGES);
        return Math.toIntExact(Math.max(1, Math.round(Math.ceil(size / batch))) * batch);
    }
}
