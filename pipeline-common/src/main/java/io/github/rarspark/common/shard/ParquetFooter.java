package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.schema.MessageType;

/**
 * The footer of a Parquet file.
 *
 * @param schema the columns
 * @param keyValues the metadata
 * @param rowGroups the row groups in their order
 */
public record ParquetFooter(MessageType schema, Map<String, String> keyValues, List<RowGroup> rowGroups) {
    /**
     * A row group.
     *
     * @param firstRow the number of its first row in the file
     * @param rows how many rows it has
     * @param startByte where its data begins
     * @param bytes how long its data is
     */
    public record RowGroup(long firstRow, long rows, long startByte, long bytes) implements Serializable {}

    /**
     * Reads a footer.
     *
     * @throws DataException if the file is not Parquet
     */
    public static ParquetFooter read(Storage storage, String path) throws IOException {
        StorageInputFile file = new StorageInputFile(storage, path);
        ParquetMetadata metadata;
        try (ParquetFileReader reader = ParquetFileReader.open(file)) {
            metadata = reader.getFooter();
        } catch (RuntimeException e) {
            throw new DataException("Cannot read " + file + ": it is not a Parquet file, or it is corrupt", e);
        }
        List<RowGroup> groups = new ArrayList<>();
        long rows = 0;
        for (BlockMetaData block : metadata.getBlocks()) {
            groups.add(new RowGroup(rows, block.getRowCount(), block.getStartingPos(), block.getCompressedSize()));
            rows += block.getRowCount();
        }
        return new ParquetFooter(
                metadata.getFileMetaData().getSchema(),
                metadata.getFileMetaData().getKeyValueMetaData(),
                List.copyOf(groups));
    }

    /** The number of rows. */
    public long rows() {
        return rowGroups.stream().mapToLong(RowGroup::rows).sum();
    }
}
