package io.github.rarspark.common.images;

import java.util.function.Predicate;

/** Images in files that users have, as a listing found them. Driver only. */
public interface ListedImages extends ImageSource {
    /** The files with the images, in the order of the images: image files, or archives of several. */
    InputListing listing();

    /**
     * The images of some of the files, with the same class names and ids.
     *
     * @param wanted accepts names of {@link #listing()}
     */
    ListedImages only(Predicate<String> wanted);
}
