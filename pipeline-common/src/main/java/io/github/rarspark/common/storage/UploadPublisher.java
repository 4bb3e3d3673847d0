package io.github.rarspark.common.storage;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.FileNotFoundException;
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
        complete(object, target);
        return Optional.of(out.stored());
    }

    /** If the answer to the request that completes an upload is lost, the client asks again, for what is there no more. */
    private static void complete(FSDataOutputStream object, Path target) throws IOException {
        try {
            object.close();
        } catch (FileNotFoundException e) {
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Cannot tell whether " + target + " was written: the server does not know the upload any more; run"
                            + " again",
                    e);
        }
    }

    private FSDataOutputStream create(Path target) throws IOException {
        try {
            return fs.create(target, true);
        } catch (FileAlreadyExistsException e) {
            throw StorageFailures.isDirectory(target.toString());
        }
    }
}
