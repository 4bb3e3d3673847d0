package io.github.rarspark.fid;

import io.github.rarspark.common.shard.RowCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.apache.avro.generic.GenericRecord;
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

    /** Its rows come by index. */
    static final RowCodec<FeatureRow> ROWS = new RowCodec<>(SCHEMA, FeatureShard::encode, FeatureShard::decode);

    private FeatureShard() {}

    /** The name of shard {@code shard}, counted from 0, of {@code shards}. */
    static String name(int shard, int shards) {
        return String.format(Locale.ROOT, "features-%05d-of-%05d.parquet", shard, shards);
    }

    private static void encode(FeatureRow row, GenericRecord record) {
        record.put(INDEX, row.index());
        record.put(CLASS_ID, row.classId());
        record.put(FEATURES, bytes(row.features()));
        record.put(SPATIAL, bytes(row.spatial()));
        record.put(LOGITS, bytes(row.logits()));
    }

    private static FeatureRow decode(GenericRecord record) {
        return new FeatureRow(
                (Long) record.get(INDEX),
                (Integer) record.get(CLASS_ID),
                floats(record, FEATURES),
                floats(record, SPATIAL),
                floats(record, LOGITS));
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
