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

    /**
     * Passes each image to {@code sink}, in order, for other threads to read. Units whose images are not files of their own
     * read them here, one after the other.
     */
    default void defer(Storage storage, DeferredSink sink) throws IOException {
        read(
                storage,
                image -> sink.accept(image instanceof StoredImage.Encoded file ? file.file().length : 0, () -> image));
    }

    /** Receives images. */
    @FunctionalInterface
    interface Sink {
        /** Takes the next image. */
        void accept(StoredImage image) throws IOException;
    }

    /** An image to read, on any thread, once. */
    @FunctionalInterface
    interface Deferred {
        /**
         * Reads it.
         *
         * @throws IOException if the storage is unavailable
         */
        StoredImage read() throws IOException;
    }

    /** Receives images that are not read yet. */
    @FunctionalInterface
    interface DeferredSink {
        /**
         * Takes the next image.
         *
         * @param bytes of its file
         */
        void accept(long bytes, Deferred image) throws IOException;
    }
}
