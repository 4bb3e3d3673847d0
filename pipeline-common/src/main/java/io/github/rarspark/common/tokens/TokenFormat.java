package io.github.rarspark.common.tokens;

import io.github.rarspark.common.shard.RowCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
    static final MessageType TYPE = Types.buildMessage()
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

    /** The rows of token shards. */
    public static final RowCodec<TokenRow> ROWS = new RowCodec<>(TYPE, TokenFormat::encode, TokenFormat::decode);

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

    private static void encode(TokenRow row, GenericRecord record) {
        List<Integer> tokens = new ArrayList<>(row.tokens().length);
        for (long token : row.tokens()) {
            tokens.add((int) token);
        }
        record.put("sample_id", row.sampleId());
        record.put("class_id", row.classId());
        record.put("crop", row.crop());
        record.put("tokens", tokens);
    }

    private static TokenRow decode(GenericRecord record) {
        List<?> tokens = (List<?>) record.get("tokens");
        return new TokenRow(
                record.get("sample_id").toString(),
                (Integer) record.get("class_id"),
                (Integer) record.get("crop"),
                tokens.stream().mapToLong(token -> (Integer) token).toArray());
    }
}
