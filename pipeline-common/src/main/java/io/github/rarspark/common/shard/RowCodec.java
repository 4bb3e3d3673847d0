package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;

/**
 * One kind of shard: its columns, and how a row becomes a record and a record a row. Thread-safe.
 *
 * @param <T> a row
 */
public final class RowCodec<T> {
    private final MessageType type;
    private final Schema schema;
    private final BiConsumer<T, GenericRecord> encoder;
    private final Function<GenericRecord, T> decoder;

    /**
     * A codec.
     *
     * @param type the columns
     * @param encoder puts a row into an empty record
     * @param decoder makes a row of a record
     */
    public RowCodec(MessageType type, BiConsumer<T, GenericRecord> encoder, Function<GenericRecord, T> decoder) {
        this.type = type;
        this.schema = ParquetShard.avroSchema(type);
        this.encoder = encoder;
        this.decoder = decoder;
    }

    /** Receives rows, in order. */
    @FunctionalInterface
    public interface Sink<T> {
        /** Takes the next row. */
        void accept(T row) throws IOException;
    }

    /** Produces the rows of a shard. */
    @FunctionalInterface
    public interface Rows<T> {
        /** Passes every row to {@code sink}. */
        void writeTo(Sink<T> sink) throws IOException;
    }

    /** {@linkplain #write(Storage, String, String, Rows, Supplier) Writes} a shard without more keys. */
    public ShardReceipt write(Storage storage, String path, String planSha256, Rows<T> rows) throws IOException {
        return write(storage, path, planSha256, rows, Map::of);
    }

    /**
     * Writes a shard as {@link ParquetShard#write(Storage, String, MessageType, String, ParquetShard.Rows, Supplier)} does.
     *
     * @param keyValues more for the footer; asked for after the last row
     */
    public ShardReceipt write(
            Storage storage, String path, String planSha256, Rows<T> rows, Supplier<Map<String, String>> keyValues)
            throws IOException {
        return ParquetShard.write(
                storage,
                path,
                type,
                planSha256,
                records -> rows.writeTo(row -> {
                    GenericRecord record = new GenericData.Record(schema);
                    encoder.accept(row, record);
                    records.add(record);
                }),
                keyValues);
    }

    /** Passes the rows of a shard to {@code sink}, in order, holding one at a time. */
    public void read(Storage storage, String path, Sink<T> sink) throws IOException {
        try (ParquetReader<GenericRecord> records = ParquetShard.read(storage, path)) {
            pass(records, sink);
        }
    }

    /** Passes the rows of a shard with this content to {@code sink}, in order, holding one at a time. */
    public void read(byte[] content, Sink<T> sink) throws IOException {
        try (ParquetReader<GenericRecord> records = ParquetShard.read(content)) {
            pass(records, sink);
        }
    }

    private void pass(ParquetReader<GenericRecord> records, Sink<T> sink) throws IOException {
        for (GenericRecord record = records.read(); record != null; record = records.read()) {
            sink.accept(decoder.apply(record));
        }
    }

    /** The bytes of a binary column; empty if it is null. */
    public static byte[] bytes(GenericRecord record, String column) {
        ByteBuffer buffer = (ByteBuffer) record.get(column);
        if (buffer == null) {
            return new byte[0];
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
