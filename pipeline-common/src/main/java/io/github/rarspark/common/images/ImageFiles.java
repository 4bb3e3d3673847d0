package io.github.rarspark.common.images;

import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.Serializable;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;

/**
 * Image files of class folders, one image each.
 *
 * <p>A file that cannot be read, because of its permissions or a bad disk block, is a bad image, like one that cannot
 * be decoded. An unavailable storage is not the fault of an image and fails the task instead. To distinguish the two,
 * other files are read: if one of them can be read and the first one still cannot, the fault is its own.
 *
 * @param files the images
 * @param witnesses some files of the whole listing, to read when one of {@code files} cannot be read
 */
record ImageFiles(List<Entry> files, List<String> witnesses) implements ImageUnit {
    private static final int NEIGHBOURS = 8;

    /**
     * An image file.
     *
     * @param path its full URI
     * @param id its name within the source
     * @param classId its class
     * @param bytes its length when it was listed
     */
    record Entry(String path, String id, int classId, long bytes) implements Serializable {}

    ImageFiles {
        files = List.copyOf(files);
        witnesses = List.copyOf(witnesses);
    }

    /** About {@code count} of {@code items}, spread evenly. */
    static <T> List<T> spread(List<T> items, int count) {
        List<T> some = new ArrayList<>();
        int step = Math.max(1, items.size() / count);
        for (int i = 0; i < items.size(); i += step) {
            some.add(items.get(i));
        }
        return some;
    }

    @Override
    public long images() {
        return files.size();
    }

    @Override
    public void read(Storage storage, Sink sink) throws IOException {
        String lastRead = null;
        for (Entry file : files) {
            StoredImage image = read(storage, file, lastRead);
            lastRead = image instanceof StoredImage.Unreadable ? lastRead : file.path();
            sink.accept(image);
        }
    }

    private StoredImage read(Storage storage, Entry file, String lastRead) throws IOException {
        if (file.bytes() > StoredImage.MOST_BYTES) {
            return StoredImage.Unreadable.tooLarge(file.id(), file.classId(), file.bytes());
        }
        try {
            return readBounded(storage, file);
        } catch (IOException e) {
            if (isInterruption(e) || !answers(storage, file, lastRead)) {
                throw e;
            }
        }
        try {
            return readBounded(storage, file);
        } catch (IOException e) {
            if (isInterruption(e)) {
                throw e;
            }
            return new StoredImage.Unreadable(file.id(), file.classId(), Failures.message(e));
        }
    }

    private static StoredImage readBounded(Storage storage, Entry file) throws IOException {
        try (InputStream in = storage.open(file.path())) {
            // A file may have grown since it was listed.
            return StoredImage.of(file.id(), file.classId(), in.readNBytes(StoredImage.MOST_BYTES + 1));
        }
    }

    /** Whether any file other than {@code failed} can be read. */
    private boolean answers(Storage storage, Entry failed, String lastRead) {
        List<String> others = new ArrayList<>();
        if (lastRead != null) {
            others.add(lastRead);
        }
        spread(files, NEIGHBOURS).forEach(file -> others.add(file.path()));
        others.addAll(witnesses);
        for (String other : others) {
            if (!other.equals(failed.path()) && canRead(storage, other)) {
                return true;
            }
        }
        return false;
    }

    private static boolean canRead(Storage storage, String path) {
        try (InputStream in = storage.open(path)) {
            in.read();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isInterruption(IOException e) {
        // A timeout is an InterruptedIOException too, but of its own subclass.
        return e instanceof ClosedByInterruptException
                || e.getClass() == InterruptedIOException.class
                || Thread.currentThread().isInterrupted();
    }
}
