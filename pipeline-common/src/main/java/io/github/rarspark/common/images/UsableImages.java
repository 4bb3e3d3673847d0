package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Reads and decodes the images of a unit and collects those that cannot be used, by the same rule in every job. */
public final class UsableImages {
    private final Labels labels;
    private final List<BadImage> bad = new ArrayList<>();
    private long oriented;

    private UsableImages(Labels labels) {
        this.labels = labels;
    }

    /** Receives images. */
    @FunctionalInterface
    public interface Sink {
        /** Takes the next usable image. */
        void accept(StoredImage image, RgbImage pixels) throws IOException;
    }

    /** The class ids that an image may have. */
    @FunctionalInterface
    public interface Labels {
        /** Any or none, for jobs that do not use them. */
        Labels ANY = classId -> "";

        /** Why an image of {@code classId} cannot be used; empty if it can. */
        String fault(int classId);

        /** Those from 0 on, below {@code classes} if that is positive. */
        static Labels of(int classes) {
            String known = classes > 0 ? "the " + classes + " classes" : "the valid classes, 0 and above";
            return classId -> classId < 0 || classes > 0 && classId >= classes
                    ? "Its class " + classId + " is not one of " + known
                    : "";
        }
    }

    /**
     * Passes the usable images of {@code unit} to {@code sink}, in order, one at a time.
     *
     * @return what was found out about the images
     * @throws IOException if the storage is unavailable; a single unreadable image counts as bad instead
     */
    public static ImageFindings read(Storage storage, ImageUnit unit, Labels labels, Sink sink) throws IOException {
        UsableImages images = new UsableImages(labels);
        unit.read(storage, stored -> images.add(stored, sink));
        return new ImageFindings(images.bad, images.oriented);
    }

    private void add(StoredImage stored, Sink sink) throws IOException {
        RgbImage pixels;
        try {
            pixels = decode(stored, labels);
        } catch (DataException e) {
            bad.add(new BadImage(stored.id(), e.getMessage()));
            return;
        }
        oriented += stored.isOriented() ? 1 : 0;
        sink.accept(stored, pixels);
    }

    /**
     * The pixels of an image that can be used.
     *
     * @throws DataException if it cannot
     */
    public static RgbImage decode(StoredImage stored, Labels labels) {
        // What cannot be read may not have a class either.
        String fault = stored instanceof StoredImage.Unreadable ? "" : labels.fault(stored.classId());
        if (!fault.isEmpty()) {
            throw new DataException(stored instanceof StoredImage.Unlabelled unlabelled ? unlabelled.why() : fault);
        }
        return stored.decode();
    }
}
