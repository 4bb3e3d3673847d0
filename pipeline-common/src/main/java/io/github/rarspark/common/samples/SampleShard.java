package io.github.rarspark.common.samples;

import io.github.rarspark.common.shard.RowCodec;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.apache.avro.generic.GenericRecord;
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

    /** Its rows come by index. */
    public static final RowCodec<Sample> ROWS = new RowCodec<>(SCHEMA, SampleShard::encode, SampleShard::decode);

    private SampleShard() {}

    /** The name of shard {@code shard}, counted from 0, of {@code shards}. */
    public static String name(int shard, int shards) {
        return String.format(Locale.ROOT, "shard-%05d-of-%05d.parquet", shard, shards);
    }

    private static void encode(Sample sample, GenericRecord row) {
        row.put(INDEX, sample.index());
        row.put(CLASS_ID, sample.classId());
        row.put(SEED, sample.seed());
        row.put(PNG, ByteBuffer.wrap(sample.png()));
    }

    private static Sample decode(GenericRecord row) {
        return new Sample(
                (Long) row.get(INDEX), (Integer) row.get(CLASS_ID), (Long) row.get(SEED), RowCodec.bytes(row, PNG));
    }
}
