package io.github.rarspark.common.images;

import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Image files of class folders, one image each.
 *
 * <p>A file that cannot be read, because of its permissions or a bad disk block, is a bad image, like one that cannot
 * be decoded. An unavailable storage is not the fault of an image and fails the task instead. To distinguish the two,
 * other files are read: if one of them can be read and the first one still cannot, the fault is its own.
 *
 * @param root the folder that names are relative to, a full URI
 * @param listing the images
 * @param classIds the class of each folder directly in the root
 * @param witnesses some files of the whole listing, to read when one of {@code listing} cannot be read
 */
record ImageFiles(String root, InputListing listing, TreeMap<String, Integer> classIds, List<String> witnesses)
        implements ImageUnit {
    private static final int NEIGHBOURS = 8;

    ImageFiles {
        witnesses = List.copyOf(witnesses);
    }

    /** About {@code count} of {@code items}, spread evenly. */
    private static <T> List<T> spread(List<T> items, int count) {
        List<T> some = new ArrayList<>();
        int step = Math.max(1, items.size() / count);
        for (int i = 0; i < items.size(); i += step) {
            some.add(items.get(i));
        }
        return some;
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(listing.files());
    }

    @Override
    public void read(Storage storage, Sink sink) throws IOException {
        defer(storage, (bytes, image) -> sink.accept(image.read()));
    }

    @Override
    public void defer(Storage storage, DeferredSink sink) throws IOException {
        AtomicReference<String> lastRead = new AtomicReference<>("");
        for (InputListing.File file : (Iterable<InputListing.File>) listing.stream()::iterator) {
            sink.accept(file.bytes(), () -> {
                StoredImage image = read(storage, file, lastRead.get());
                if (!(image instanceof StoredImage.Unreadable)) {
                    lastRead.set(file.name());
                }
                return image;
            });
        }
    }

    private StoredImage read(Storage storage, InputListing.File file, String lastRead) throws IOException {
        String name = file.name();
        int classId = classIds.get(ClassFolders.className(name));
        if (file.bytes() > StoredImage.MOST_BYTES) {
            return StoredImage.Unreadable.tooLarge(name, classId, file.bytes());
        }
        try {
            return readBounded(storage, name, classId);
        } catch (IOException e) {
            if (isInterruption(e) || !answers(storage, name, lastRead)) {
                throw e;
            }
        }
        try {
            return readBounded(storage, name, classId);
        } catch (IOException e) {
            if (isInterruption(e)) {
                throw e;
            }
            return new StoredImage.Unreadable(name, classId, Failures.message(e));
        }
    }

    private StoredImage readBounded(Storage storage, String name, int classId) throws IOException {
        try (InputStream in = storage.open(Storage.child(root, name))) {
            // A file may have grown since it was listed.
            return StoredImage.of(name, classId, in.readNBytes(StoredImage.MOST_BYTES + 1));
        }
    }

    /** Whether any file other than {@code failed} can be read. */
    private boolean answers(Storage storage, String failed, String lastRead) {
        List<String> others = new ArrayList<>();
        if (!lastRead.isEmpty()) {
            others.add(lastRead);
        }
        others.addAll(spread(listing.stream().map(InputListing.File::name).toList(), NEIGHBOURS));
        others.addAll(witnesses);
        for (String other : others) {
            if (!other.equals(failed) && canRead(storage, Storage.child(root, other))) {
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
