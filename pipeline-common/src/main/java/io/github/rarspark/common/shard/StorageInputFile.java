package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import org.apache.parquet.hadoop.util.HadoopStreams;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;

/** Lets Parquet read an object of a storage. */
final class StorageInputFile implements InputFile {
    private final Storage storage;
    private final String path;

    StorageInputFile(Storage storage, String path) {
        this.storage = storage;
        this.path = path;
    }

    @Override
    public long getLength() throws IOException {
        return storage.length(path);
    }

    @Override
    public SeekableInputStream newStream() throws IOException {
        return HadoopStreams.wrap(storage.open(path));
    }

    @Override
    public String toString() {
        return path;
    }
}
