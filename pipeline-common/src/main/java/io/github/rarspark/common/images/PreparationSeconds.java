package io.github.rarspark.common.images;

/**
 * Where the time of {@link PreparedImages} went, in seconds of all its threads.
 *
 * @param streaming reading by the one thread that goes through the unit, of images that are not files of their own
 * @param reading of files by the threads that prepare images
 * @param decoding by these threads
 * @param preparing by these threads: what was made of the pixels
 * @param taking the wait of the thread that takes the images, because none was ready
 */
public record PreparationSeconds(double streaming, double reading, double decoding, double preparing, double taking) {
    /** No time. */
    public static final PreparationSeconds NONE = new PreparationSeconds(0, 0, 0, 0, 0);
}
