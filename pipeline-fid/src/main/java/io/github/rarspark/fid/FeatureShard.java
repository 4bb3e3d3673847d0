package io.github.rarspark.fid;

import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** A Parquet file of the features of consecutive images; vectors are little-endian 32-bit floats. */
final class FeatureShard {
    private static final String INDEX = "index";
    private static final String CLASS_ID = "class_id";
    private static final String FEATURES = "features";
    private static final String SPATIAL = "spatial";
    private static final String LOGITS = "logits";

    private static final MessageType SCHEMA = Types.buildMessage()
            .required(PrimitiveTypeName.INT64)
            .named(INDEX)
            .required(PrimitiveTypeName.INT32)
            .named(CLASS_ID)
            .required(PrimitiveTypeName.BINARY)
            .named(FEATURES)
            .required(PrimitiveTypeName.BINARY)
            .named(SPATIAL)
            .required(PrimitiveTypeName.BINARY)
            .named(LOGITS)
            .named("features");

    private FeatureShard() {}

    /** Receives the features of images. */
    @FunctionalInterface
    interface Sink {
        /** Takes those of the next image. */
        void accept(FeatureRow row) throws IOException;
    }

    /** Produces the rows of a shard. */
    @FunctionalInterface
    interface Rows {
        /** Passes every row to {@code sink}, by index. */
        void writeTo(Sink sink) throws IOException;
    }

    /** The name of shard {@code shard}, counted from 0, of {@code shards}. */
    static String name(int shard, int shards) {
        return String.format(Locale.ROOT, "features-%05d-of-%05d.parquet", shard, shards);
    }

    /**
     * Writes a shard whole, or not at all if {@code rows} throws.
     *
     * @param keyValues more for the footer; asked for after the last row
     */
    static ShardReceipt write(
            Storage storage, String path, String key, Rows rows, Supplier<Map<String, String>> keyValues)
            throws IOException {
        Schema schema = ParquetShard.avroSchema(SCHEMA);
        return ParquetShard.write(
                storage,
                path,
                SCHEMA,
                key,
                sink -> rows.writeTo(row -> {
                    GenericRecord record = new GenericData.Record(schema);
                    record.put(INDEX, row.index());
                    record.put(CLASS_ID, row.classId());
                    record.put(FEATURES, bytes(row.features()));
                    record.put(SPATIAL, bytes(row.spatial()));
                    record.put(LOGITS, bytes(row.logits()));
                    sink.add(record);
                }),
                keyValues);
    }

    /** Passes the rows of a shard to {@code sink}, in order, holding one at a time. */
    static void read(Storage storage, String path, Sink sink) throws IOException {
        try (ParquetReader<GenericRecord> records = ParquetShard.read(storage, path)) {
            for (GenericRecord record = records.read(); record != null; record = records.read()) {
                sink.accept(new FeatureRow(
                        (Long) record.get(INDEX),
                        (Integer) record.get(CLASS_ID),
                        floats(record, FEATURES),
                        floats(record, SPATIAL),
                        floats(record, LOGITS)));
            }
        }
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static float[] floats(GenericRecord record, String column) {
        ByteBuffer bytes = ((ByteBuffer) record.get(column)).duplicate().order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }
}
