package io.github.rarspark.common.images;

import java.io.Serializable;

/**
 * Where the time of {@link PreparedImages} went, in seconds of all its threads.
 *
 * @param reading of files
 * @param decoding of images
 * @param preparing what was made of the pixels
 * @param handing waited, because as many images were ready as may be
 * @param taking waited by the thread that takes the images, because none was ready
 */
public record PreparationSeconds(double reading, double decoding, double preparing, double handing, double taking)
        implements Serializable {}
