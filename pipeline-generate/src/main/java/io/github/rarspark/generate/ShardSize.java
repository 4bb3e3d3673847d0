package io.github.rarspark.generate;

/**
 * Chooses how many images make a shard: few enough that a lost executor costs minutes and that tasks spread evenly over
 * the slots, and enough that loading the weights does not count.
 */
final class ShardSize {
    /** What a core does in the five minutes that a shard should take. */
    private static final double FLOP_PER_CORE = 5 * 60 * 100e9;

    /** A GPU counts as so many cores: of its rate, sampling reaches a small part. */
    static final int CORES_OF_GPU = 100;

    /** Shards that a slot gets at least, one after the other. */
    private static final int WAVES = 4;

    private static final int MOST_IMAGES = 5000;

    private ShardSize() {}

    /**
     * The number of images for a task: whole batches, unless not every slot would get one.
     *
     * @param images of the run
     * @param flopPerImage floating-point operations
     * @param cores of a task
     * @param slots tasks that can run at a time; 0 if unknown
     * @param batch images that are computed together
     */
    static int images(int images, double flopPerImage, int cores, int slots, int batch) {
        long known = Math.max(1, slots);
        long share = (images + known - 1) / known;
        if (share <= batch) {
            return (int) share;
        }
        double minutes = FLOP_PER_CORE * cores / flopPerImage;
        double wave = (double) images / (WAVES * known);
        long batches = (long) Math.ceil(Math.min(Math.min(minutes, wave), MOST_IMAGES) / batch);
        return Math.toIntExact(Math.min(images, batches * batch));
    }
}
