package io.github.rarspark.common.storage;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Object stores: an object appears when its upload completes. This version of their client has no exclusive creation,
 * so if two writers complete concurrently, both succeed and the later one wins.
 */
record UploadPublisher(FileSystem fs) implements Publisher {
    @Override
    public Optional<Stored> publish(Path target, ContentWriter writer, ExistingObject existing) throws IOException {
        FSDataOutputStream object = create(target);
        HashingStream out = new HashingStream(object, target.toString());
        try {
            writer.write(out);
            if (existing != ExistingObject.REPLACE && fs.exists(target) && existing.stays(target.toString())) {
                object.abort();
                object.close();
                return Optional.empty();
            }
        } catch (IOException | RuntimeException | Error e) {
            // After abort, close does not publish anything.
            Publisher.cleanUp(e, object::abort);
            Publisher.cleanUp(e, object::close);
            throw e;
        }
        object.close();
        return Optional.of(out.stored());
    }

    private FSDataOutputStream create(Path target) throws IOException {
        try {
            return fs.create(target, true);
        } catch (FileAlreadyExistsException e) {
            throw StorageFailures.isDirectory(target.toString());
        }
    }
}
