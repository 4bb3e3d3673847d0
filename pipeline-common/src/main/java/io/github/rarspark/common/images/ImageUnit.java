package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.util.OptionalLong;

/** A contiguous part of an image source: a small handle sent to the task that reads it. */
public interface ImageUnit extends Serializable {
    /** The number of images; empty if only reading them tells. */
    OptionalLong images();

    /** Passes each image to {@code sink}, in order, holding one at a time. */
    void read(Storage storage, Sink sink) throws IOException;

    /** Receives images. */
    @FunctionalInterface
    interface Sink {
        /** Takes the next image. */
        void accept(StoredImage image) throws IOException;
    }
}
