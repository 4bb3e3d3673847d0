package io.github.rarspark.common.samples;

import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** A Parquet file of consecutive generated images: {@code index}, {@code class_id}, {@code seed}, {@code png}. */
public final class SampleShard {
    private static final String INDEX = "index";
    private static final String CLASS_ID = "class_id";
    private static final String SEED = "seed";
    private static final String PNG = "png";

    private static final MessageType SCHEMA = Types.buildMessage()
            .required(PrimitiveTypeName.INT64)
            .named(INDEX)
            .required(PrimitiveTypeName.INT32)
            .named(CLASS_ID)
            .required(PrimitiveTypeName.INT64)
            .named(SEED)
            .required(PrimitiveTypeName.BINARY)
            .named(PNG)
            .named("sample");

    private SampleShard() {}

    /** Receives images. */
    @FunctionalInterface
    public interface Sink {
        /** Takes the next image. */
        void accept(Sample sample) throws IOException;
    }

    /** Produces the images of a shard. */
    @FunctionalInterface
    public interface Samples {
        /** Passes every image to {@code sink}, by index. */
        void writeTo(Sink sink) throws IOException;
    }

    /** The name of shard {@code shard}, counted from 0, of {@code shards}. */
    public static String name(int shard, int shards) {
        return String.format(Locale.ROOT, "shard-%05d-of-%05d.parquet", shard, shards);
    }

    /** Writes a shard whole, or not at all if {@code samples} throws. */
    public static ShardReceipt write(Storage storage, String path, String planSha256, Samples samples)
            throws IOException {
        Schema schema = ParquetShard.avroSchema(SCHEMA);
        return ParquetShard.write(
                storage,
                path,
                SCHEMA,
                planSha256,
                rows -> samples.writeTo(sample -> {
                    GenericRecord row = new GenericData.Record(schema);
                    row.put(INDEX, sample.index());
                    row.put(CLASS_ID, sample.classId());
                    row.put(SEED, sample.seed());
                    row.put(PNG, ByteBuffer.wrap(sample.png()));
                    rows.add(row);
                }));
    }

    /** Passes the images of a shard to {@code sink}, in order, holding one at a time. */
    public static void read(Storage storage, String path, Sink sink) throws IOException {
        try (ParquetReader<GenericRecord> rows = ParquetShard.read(storage, path)) {
            for (GenericRecord row = rows.read(); row != null; row = rows.read()) {
                ByteBuffer buffer = (ByteBuffer) row.get(PNG);
                byte[] png = new byte[buffer.remaining()];
                buffer.duplicate().get(png);
                sink.accept(new Sample((Long) row.get(INDEX), (Integer) row.get(CLASS_ID), (Long) row.get(SEED), png));
            }
        }
    }
}
