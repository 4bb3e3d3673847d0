package io.github.rarspark.common.storage;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * HDFS and similar file systems: a temporary file in the same directory, flushed to disk, and one rename, exclusive if
 * asked.
 *
 * <p>A temporary file may stay: its writer is killed, or {@link FileSystem#delete} returns false, which a file that the
 * next attempt has removed already does as well. That harms nothing: its name is its own and hidden, and the next attempt
 * removes it.
 */
record RenamePublisher(FileSystem fs, Configuration configuration) implements Publisher {
    @Override
    public Optional<Stored> publish(Path target, ContentWriter writer, ExistingObject existing) throws IOException {
        if (fs.exists(target) && fs.getFileStatus(target).isDirectory()) {
            throw StorageFailures.isDirectory(target.toString());
        }
        Path temporary = new Path(target.getParent(), TEMPORARY_PREFIX + UUID.randomUUID());
        try {
            Stored stored;
            try (FSDataOutputStream file = fs.create(temporary, true)) {
                HashingStream out = new HashingStream(file, target.toString());
                writer.write(out);
                if (file.hasCapability(StreamCapabilities.HSYNC)) {
                    file.hsync();
                }
                stored = out.stored();
            }
            return move(temporary, target, existing) ? Optional.of(stored) : Optional.empty();
        } catch (IOException | RuntimeException | Error e) {
            Publisher.cleanUp(e, () -> fs.delete(temporary, false));
            throw e;
        }
    }

    private boolean move(Path temporary, Path target, ExistingObject existing) throws IOException {
        FileContext context = FileContext.getFileContext(fs.getUri(), configuration);
        if (existing != ExistingObject.REPLACE) {
            try {
                context.rename(temporary, target, Options.Rename.NONE);
                return true;
            } catch (FileAlreadyExistsException e) {
                if (existing.stays(target.toString())) {
                    fs.delete(temporary, false);
                    return false;
                }
            }
        }
        context.rename(temporary, target, Options.Rename.OVERWRITE);
        return true;
    }
}
