package io.github.rarspark.common.storage;

import io.github.rarspark.common.JobException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsStatus;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.UnsupportedFileSystemException;

/**
 * The files of a job: Hadoop URIs ({@code file:}, {@code hdfs:}, {@code s3a:}; without a scheme, the default file
 * system's). {@link #put} makes an object appear whole or not at all. A storage is a serialisable handle that carries
 * the Hadoop configuration to the tasks, without {@linkplain Secrets secrets}: where it arrives it takes those that
 * Spark's configuration has there.
 *
 * <p>Files whose name begins with a dot are hidden: listings skip them, and unfinished objects have such names.
 */
public final class Storage implements Serializable {
    private static final long serialVersionUID = 1L;

    private static final int MOST_READS = 10;

    /** A host or bucket, perhaps with a user and a port; a password of S3 has any characters. */
    private static final Pattern AUTHORITY = Pattern.compile("([^:@]*@)?(\\[.*]|[^:@]*)(:\\d*)?");

    private transient Configuration configuration;

    /** Creates a storage with a Hadoop configuration. */
    public Storage(Configuration configuration) {
        this.configuration = new Configuration(configuration);
    }

    /** The path of {@code name} under {@code directory}. */
    public static String child(String directory, String name) {
        return new Path(new Path(directory), new Path(null, null, name)).toString();
    }

    /** The last part of {@code path}. */
    public static String name(String path) {
        return new Path(path).getName();
    }

    /** The full URI of {@code path}, without {@code .} and {@code ..}. */
    public String qualify(String path) throws IOException {
        Path hadoop = new Path(path);
        return new Path(fileSystem(hadoop).makeQualified(hadoop).toUri().normalize()).toString();
    }

    /**
     * Makes {@code path} an object with what {@code writer} writes, replacing one that is there. A reader sees the old
     * object or the new one, never a partial one: stores whose uploads can be aborted complete the upload at the end,
     * file systems get a temporary file in the same directory, flushed to disk, and one rename. If the writer throws,
     * nothing changes.
     *
     * @throws JobException if {@code path} cannot be written and a retry would not help
     */
    public Stored put(String path, ContentWriter writer) throws IOException {
        return publish(path, writer, ExistingObject.REPLACE).orElseThrow();
    }

    /**
     * {@link #put}, unless there is an object already that {@code existing} lets stay. On local files and HDFS no
     * object that stays is ever replaced; an object store may replace one that appears at the same moment.
     *
     * @return what was written; empty if the object of before stays
     */
    public Optional<Stored> putUnless(String path, ExistingObject existing, ContentWriter writer) throws IOException {
        return publish(path, writer, existing);
    }

    /** {@link #putUnless} there is an object, with this value as indented JSON; returns whether it was written. */
    public boolean createJson(String path, Object value) throws IOException {
        byte[] json = Json.pretty(value);
        return putUnless(path, there -> true, out -> out.write(json)).isPresent();
    }

    /** Whether only one of two concurrent writers that create {@code path} can succeed. */
    public boolean createsExclusively(String path) throws IOException {
        Path hadoop = new Path(path);
        FileSystem fs = fileSystem(hadoop);
        return !fs.hasPathCapability(fs.makeQualified(hadoop), CommonPathCapabilities.ABORTABLE_STREAM);
    }

    /**
     * Makes sure that {@link #put} of {@code path} may succeed, as far as that can be known before: begins an object
     * there and gives it up. Folders on the way to it are created, and what is there stays.
     *
     * @throws JobException if it cannot succeed
     */
    public void requireWritable(String path) throws IOException {
        GivenUp givenUp = new GivenUp();
        try {
            put(path, out -> {
                throw givenUp;
            });
        } catch (GivenUp e) {
            // As intended: all that comes before the content went well.
        }
    }

    private static final class GivenUp extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /**
     * How many bytes the device, or the cluster's disks, that hold {@code directory} have left; empty if the file system
     * does not tell, such as an object store.
     *
     * @param directory need not exist
     */
    public OptionalLong space(String directory) throws IOException {
        Path path = new Path(qualify(directory));
        FileSystem fs = fileSystem(path);
        while (path.getParent() != null && !fs.exists(path)) {
            path = path.getParent();
        }
        FsStatus status = fs.getStatus(path);
        // Hadoop gives the largest number where it does not know.
        boolean isKnown = status.getCapacity() > 0 && status.getCapacity() < Long.MAX_VALUE;
        return isKnown ? OptionalLong.of(status.getRemaining()) : OptionalLong.empty();
    }

    /** {@link #put} of these bytes. */
    public Stored putBytes(String path, byte[] content) throws IOException {
        return put(path, out -> out.write(content));
    }

    /** {@link #put} of this text in UTF-8. */
    public Stored putString(String path, String content) throws IOException {
        return putBytes(path, content.getBytes(StandardCharsets.UTF_8));
    }

    /** {@link #put} of this value as indented JSON. */
    public Stored putJson(String path, Object value) throws IOException {
        return putBytes(path, Json.pretty(value));
    }

    /**
     * Opens the object for reading at any position.
     *
     * @throws FileNotFoundException if there is none
     */
    public FSDataInputStream open(String path) throws IOException {
        Path hadoop = new Path(path);
        FileSystem fs = fileSystem(hadoop);
        if (isSpecial(path)) {
            throw new FileNotFoundException("Cannot read " + path + ": it is a device or a pipe, not a file");
        }
        FSDataInputStream in = fs.open(hadoop);
        return fs instanceof RawLocalFileSystem ? new FSDataInputStream(new LocalInput(in)) : in;
    }

    /** Whether a local device or pipe has this path. Opening a pipe waits for its writer, without limit. */
    public boolean isSpecial(String path) throws IOException {
        return localPath(path)
                .filter(file -> Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file))
                .isPresent();
    }

    /** The path of a local file; empty if {@code path} is on another file system. */
    public Optional<java.nio.file.Path> localPath(String path) throws IOException {
        Path hadoop = new Path(path);
        return fileSystem(hadoop) instanceof RawLocalFileSystem local
                ? Optional.of(local.pathToFile(hadoop).toPath())
                : Optional.empty();
    }

    /**
     * The whole content of a small object; of one version where others replace it meanwhile.
     *
     * @throws IOException also if it was replaced during each of several reads
     */
    public byte[] readBytes(String path) throws IOException {
        for (int reads = 1; ; reads++) {
            try (FSDataInputStream in = open(path)) {
                return in.readAllBytes();
            } catch (PathIOException e) {
                // What s3a throws if the content is of another version than the length that it asked for before.
                if (reads == MOST_READS) {
                    throw e;
                }
            }
        }
    }

    /** The whole content of a small object of UTF-8 text. */
    public String readString(String path) throws IOException {
        return new String(readBytes(path), StandardCharsets.UTF_8);
    }

    /** The SHA-256 of a whole object, in lower-case hexadecimal. */
    public String sha256(String path) throws IOException {
        MessageDigest digest = Sha256.digest();
        try (InputStream in = open(path)) {
            Sha256.update(digest, in, Long.MAX_VALUE);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The value in a JSON object; throws what {@link Json#read} throws. */
    public <T> T readJson(String path, Class<T> type) throws IOException {
        return Json.read(readBytes(path), type, path);
    }

    /** Whether {@code path} exists. */
    public boolean exists(String path) throws IOException {
        Path hadoop = new Path(path);
        return fileSystem(hadoop).exists(hadoop);
    }

    /** Whether {@code path} is a directory; on an object store, whether there are objects below it. */
    public boolean isDirectory(String path) throws IOException {
        Path hadoop = new Path(path);
        try {
            return fileSystem(hadoop).getFileStatus(hadoop).isDirectory();
        } catch (FileNotFoundException e) {
            return false;
        }
    }

    /**
     * The length of a file in bytes.
     *
     * @throws FileNotFoundException if there is none
     */
    public long length(String path) throws IOException {
        Path hadoop = new Path(path);
        FileStatus status = fileSystem(hadoop).getFileStatus(hadoop);
        if (status.isDirectory()) {
            throw new FileNotFoundException(path + " is a directory");
        }
        return status.getLen();
    }

    /** The names of the files directly in {@code directory}, sorted; none if it does not exist. */
    public List<String> list(String directory) throws IOException {
        return Listing.names(fileSystem(new Path(directory)), new Path(directory), FileStatus::isFile);
    }

    /** The names of the directories directly in {@code directory}, sorted; none if it does not exist or is a file. */
    public List<String> directories(String directory) throws IOException {
        return Listing.names(fileSystem(new Path(directory)), new Path(directory), FileStatus::isDirectory);
    }

    /** All files below {@code directory}, sorted by name; none if it does not exist; the file itself if it is one. */
    public List<StoredFile> walk(String directory) throws IOException {
        Path hadoop = new Path(directory);
        return Listing.walk(fileSystem(hadoop), hadoop);
    }

    /** {@link #walk} without the files in further directories. */
    public List<StoredFile> files(String directory) throws IOException {
        Path hadoop = new Path(directory);
        return Listing.files(fileSystem(hadoop), hadoop);
    }

    /**
     * Deletes a file, or a directory with all that is in it; nothing happens if it does not exist.
     *
     * @throws IOException if it is still there afterwards
     */
    public void delete(String path) throws IOException {
        Path hadoop = new Path(path);
        FileSystem fs = fileSystem(hadoop);
        if (!fs.delete(hadoop, true) && fs.exists(hadoop)) {
            throw new IOException("Cannot delete " + path
                    + ": the file system does not say why; check its permissions, then run again");
        }
    }

    /** The paths of what writers have not finished below {@code directory}, be they alive or dead. */
    public List<String> temporaries(String directory) throws IOException {
        Path hadoop = new Path(directory);
        return Listing.below(fileSystem(hadoop), hadoop).stream()
                .map(FileStatus::getPath)
                .filter(path -> path.getName().startsWith(Publisher.TEMPORARY_PREFIX))
                .map(Path::toString)
                .toList();
    }

    /** A copy of the Hadoop configuration. */
    public Configuration configuration() {
        return new Configuration(configuration);
    }

    private Optional<Stored> publish(String path, ContentWriter writer, ExistingObject existing) throws IOException {
        Path hadoop = new Path(path);
        FileSystem fs = fileSystem(hadoop);
        Path target = fs.makeQualified(hadoop);
        AtomicReference<IOException> writers = new AtomicReference<>();
        ContentWriter noted = out -> {
            try {
                writer.write(out);
            } catch (IOException e) {
                writers.set(e);
                throw e;
            }
        };
        try {
            return publisher(fs, target).publish(target, noted, existing);
        } catch (IOException e) {
            // What the writer reads may fail in the same words.
            throw e == writers.get() ? e : StorageFailures.writing(target.toString(), e);
        }
    }

    private Publisher publisher(FileSystem fs, Path target) throws IOException {
        if (fs instanceof RawLocalFileSystem local) {
            return new LocalPublisher(local);
        }
        return fs.hasPathCapability(target, CommonPathCapabilities.ABORTABLE_STREAM)
                ? new UploadPublisher(fs)
                : new RenamePublisher(fs, configuration);
    }

    /** Local files are used without Hadoop's checksum files: every format here has its own checksum. */
    private FileSystem fileSystem(Path path) throws IOException {
        URI uri = path.toUri();
        if (uri.getAuthority() != null && !AUTHORITY.matcher(uri.getAuthority()).matches()) {
            throw StorageFailures.password(uri.getScheme());
        }
        try {
            FileSystem fs = path.getFileSystem(configuration);
            return fs instanceof LocalFileSystem local ? local.getRawFileSystem() : fs;
        } catch (UnsupportedFileSystemException e) {
            throw StorageFailures.unsupported(path.toString(), uri.getScheme(), e);
        } catch (IllegalArgumentException e) {
            throw StorageFailures.reaching(path.toString(), e);
        }
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        Secrets.without(configuration).write(out);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        if (configuration != null) {
            throw new InvalidObjectException("A storage carries its configuration behind its fields");
        }
        configuration = new Configuration(false);
        configuration.readFields(in);
        Secrets.addOwn(configuration);
    }
}
