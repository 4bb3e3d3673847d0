package io.github.rarspark.common.images;

import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Reads the images of a tar file from its beginning to its end, once, with one of them in memory. */
final class TarImages {
    /** A key, up to the first dot of the last part of the name, and an extension. */
    private static final Pattern MEMBER = Pattern.compile("((?:.*/)?[^./][^./]*)\\.([^/]*)", Pattern.DOTALL);

    private static final int RECORD = TarArchiveEntry.DEFAULT_RCDSIZE;
    private static final int BUFFER_BYTES = 1 << 16;

    private final StoredFile file;
    private final Optional<ClassMap> classes;
    private final ImageUnit.Sink sink;
    private final Set<String> keys = new HashSet<>();
    private TarSample sample = TarSample.NONE;

    private TarImages(StoredFile file, Optional<ClassMap> classes, ImageUnit.Sink sink) {
        this.file = file;
        this.classes = classes;
        this.sink = sink;
    }

    /**
     * Passes the images of {@code file} to {@code sink}.
     *
     * @throws DataException if the archive is damaged or cut off, or has a key twice
     */
    static void read(Storage storage, StoredFile file, Optional<ClassMap> classes, ImageUnit.Sink sink)
            throws IOException {
        try (InputStream stored = storage.open(file.path())) {
            read(stored, file, classes, sink);
        }
    }

    /** The same of a file that is open. */
    static void read(InputStream stored, StoredFile file, Optional<ClassMap> classes, ImageUnit.Sink sink)
            throws IOException {
        NotedFailures noted = new NotedFailures(stored);
        TarImages images = new TarImages(file, classes, sink);
        try {
            InputStream buffered = new BufferedInputStream(noted, BUFFER_BYTES);
            images.read(TarShards.isGzip(file.name()) ? unzip(buffered) : buffered);
        } catch (ArchiveException e) {
            if (noted.failure != null) {
                throw noted.failure;
            }
            throw new DataException(
                    "Cannot read " + file.path() + ": the archive is damaged or cut off, after " + images.keys.size()
                            + " keys; copy it again or remove it (" + e.getMessage() + ")",
                    e.getCause());
        }
    }

    private static InputStream unzip(InputStream in) throws ArchiveException {
        try {
            return new BufferedInputStream(new GZIPInputStream(in, BUFFER_BYTES), BUFFER_BYTES);
        } catch (IOException e) {
            throw new ArchiveException(e.toString(), e);
        }
    }

    private void read(InputStream in) throws IOException {
        Archive archive = new Archive(in);
        for (TarArchiveEntry entry = archive.next(); entry != null; entry = archive.next()) {
            UnitTasks.endIfKilled();
            Matcher name = MEMBER.matcher(entry.getName());
            if (!entry.isDirectory() && name.matches()) {
                begin(name.group(1));
                sample.add(name.group(2).toLowerCase(Locale.ROOT), entry, archive);
            }
        }
        archive.requireNothingBehind(in);
        end();
    }

    /** The next member belongs to {@code key}. */
    private void begin(String key) throws IOException {
        if (sample.is(key)) {
            return;
        }
        end();
        if (!keys.add(key)) {
            throw new DataException("Cannot read " + file.path() + ": it has the key " + key
                    + " twice, with others between; keys have to be unique, and members of a key together");
        }
        sample = new TarSample(file, key);
    }

    private void end() throws IOException {
        Optional<StoredImage> image = sample.image(classes);
        sample = TarSample.NONE;
        if (image.isPresent()) {
            sink.accept(image.get());
        }
    }

    /** What is wrong with an archive, or the storage. */
    private static final class ArchiveException extends IOException {
        private static final long serialVersionUID = 1L;

        ArchiveException(String message, Exception cause) {
            super(message, cause);
        }
    }

    /** An archive that has to have its end. */
    static final class Archive extends TarArchiveInputStream {
        private boolean ended;
        private boolean isCutOff;

        Archive(InputStream in) {
            // Blocks of one record: what stands behind the end of the archive is not skipped.
            super(in, RECORD, RECORD, StandardCharsets.UTF_8.name());
        }

        @Override
        protected boolean isEOFRecord(byte[] record) {
            boolean isEnd = super.isEOFRecord(record);
            if (isEnd && !ended) {
                ended = true;
                isCutOff = record == null;
            }
            return isEnd;
        }

        /** The next member; null at the end. */
        TarArchiveEntry next() throws ArchiveException {
            TarArchiveEntry entry;
            try {
                entry = (TarArchiveEntry) getNextEntry();
            } catch (IOException | RuntimeException e) {
                // What is not a header is not always found to be none.
                throw new ArchiveException(e.toString(), e);
            }
            if (entry == null && isCutOff) {
                throw new ArchiveException("there is no end-of-archive record", null);
            }
            if (entry != null && !entry.isCheckSumOK()) {
                throw new ArchiveException("the checksum of the header of " + entry.getName() + " is wrong", null);
            }
            return entry;
        }

        /** The content of the current member, up to {@code most} bytes. */
        byte[] content(int most) throws ArchiveException {
            try {
                return readNBytes(most);
            } catch (IOException e) {
                throw new ArchiveException(e.toString(), e);
            }
        }

        /** Readers of tar files stop at the first end, so another archive behind it would be lost without a word. */
        void requireNothingBehind(InputStream in) throws ArchiveException {
            byte[] buffer = new byte[BUFFER_BYTES];
            try {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    for (int i = 0; i < n; i++) {
                        if (buffer[i] != 0) {
                            throw new ArchiveException("it goes on behind the end-of-archive record", null);
                        }
                    }
                }
            } catch (ArchiveException e) {
                throw e;
            } catch (IOException e) {
                throw new ArchiveException(e.toString(), e);
            }
        }
    }

    /** Remembers what the storage throws, to tell it from what is wrong with the archive. */
    private static final class NotedFailures extends FilterInputStream {
        private IOException failure;

        NotedFailures(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            try {
                return in.read(buffer, offset, length);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }

        @Override
        public long skip(long bytes) throws IOException {
            try {
                return in.skip(bytes);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }
    }
}
