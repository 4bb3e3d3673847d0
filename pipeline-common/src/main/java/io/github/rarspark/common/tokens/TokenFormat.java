package io.github.rarspark.common.tokens;

import io.github.rarspark.common.shard.ParquetShard;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/** Columns and names of token shards. */
public final class TokenFormat {
    /** Name of the file of lines that an output may have besides. */
    public static final String LINES_NAME = "tokens.jsonl";

    /** Columns: {@code sample_id} string, {@code class_id} int, {@code crop} int, {@code tokens} list of int16. */
    public static final MessageType TYPE = Types.buildMessage()
            .required(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("sample_id")
            .required(PrimitiveTypeName.INT32)
            .named("class_id")
            .required(PrimitiveTypeName.INT32)
            .named("crop")
            .addField(Types.requiredList()
                    .element(Types.primitive(PrimitiveTypeName.INT32, Type.Repetition.REQUIRED)
                            .as(LogicalTypeAnnotation.intType(16, true))
                            .named("element"))
                    .named("tokens"))
            .named("token_row");

    private TokenFormat() {}

    /**
     * The name of a shard.
     *
     * @param generation 0 for the first run, one more for each that added to the output
     * @param number the shard's number within its generation
     */
    public static String shardName(int generation, int number) {
        return String.format(Locale.ROOT, "part-%03d-%05d.parquet", generation, number);
    }

    /** Makes records of {@link #TYPE}; one for each thread. */
    public static final class Rows {
        private final Schema schema = ParquetShard.avroSchema(TYPE);
        private final Schema list = schema.getField("tokens").schema();

        /** A record; {@code tokens} are row-major codes of the grid. */
        public GenericRecord record(String sampleId, int classId, int crop, long[] tokens) {
            List<Integer> boxed = new ArrayList<>(tokens.length);
            for (long token : tokens) {
                boxed.add((int) token);
            }
            GenericRecord row = new GenericData.Record(schema);
            row.put("sample_id", sampleId);
            row.put("class_id", classId);
            row.put("crop", crop);
            row.put("tokens", new GenericData.Array<>(list, boxed));
            return row;
        }
    }
}
