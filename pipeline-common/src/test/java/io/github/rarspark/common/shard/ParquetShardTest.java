package io.github.rarspark.common.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParquetShardTest {
    static final MessageType TYPE = MessageTypeParser.parseMessageType(
            """
            message tokens {
              required binary sample_id (STRING);
              required int32 class_id;
              required group tokens (LIST) {
                repeated group list {
                  required int32 element (INTEGER(16, true));
                }
              }
            }
            """);
    private static final String PLAN = "0123abcd";

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());
    private String path;

    @BeforeEach
    void name() {
        path = Storage.child(temp.toUri().toString(), "part-0");
    }

    @Test
    void recordsAreReadAsTheyWereWritten() throws Exception {
        ShardReceipt receipt = write(path, 1000);
        assertThat(receipt.name()).isEqualTo("part-0");
        assertThat(receipt.rows()).isEqualTo(1000);
        assertThat(receipt.bytes()).isEqualTo(storage.length(path));
        assertThat(receipt.sha256()).isEqualTo(storage.sha256(path));
        assertThat(ParquetShard.rows(storage, path)).isEqualTo(1000);
        assertThat(ParquetShard.schema(storage, path)).isEqualTo(TYPE);
        List<String> rows = new ArrayList<>();
        try (ParquetReader<GenericRecord> reader = ParquetShard.read(storage, path)) {
            for (GenericRecord row = reader.read(); row != null; row = reader.read()) {
                rows.add(row.get("sample_id") + " " + row.get("class_id") + " " + row.get("tokens"));
            }
        }
        assertThat(rows).hasSize(1000).contains("s7 7 [7, 8, 9]", "s999 999 [999, 1000, 1001]");
    }

    @Test
    void equalRecordsGiveEqualBytes() throws Exception {
        String again = Storage.child(temp.toUri().toString(), "again");
        assertThat(write(path, 1000).sha256()).isEqualTo(write(again, 1000).sha256());
    }

    @Test
    void encodingsAreListedInAnOrderThatEveryJvmAgreesOn() throws Exception {
        write(path, 1000);
        ByteBuffer file =
                ByteBuffer.wrap(Files.readAllBytes(temp.resolve("part-0"))).order(ByteOrder.LITTLE_ENDIAN);
        int footerEnd = file.limit() - 8;
        int footerStart = footerEnd - file.getInt(footerEnd);
        FileMetaData footer =
                Util.readFileMetaData(new ByteArrayInputStream(file.array(), footerStart, footerEnd - footerStart));
        assertThat(footer.getRow_groups()).isNotEmpty().allSatisfy(group -> assertThat(group.getColumns())
                .allSatisfy(column -> assertThat(column.getMeta_data().getEncodings())
                        .hasSizeGreaterThan(1)
                        .isSorted()));
    }

    @Test
    void aFinishedShardIsRecognised() throws Exception {
        for (int rows : new int[] {0, 1, 1000}) {
            String shard = path + "-" + rows;
            ShardReceipt receipt = write(shard, rows);
            assertThat(ParquetShard.inspect(storage, shard, PLAN)).contains(receipt);
        }
    }

    @Test
    void anotherPlansShardIsNotFinished() throws Exception {
        write(path, 10);
        assertThat(ParquetShard.inspect(storage, path, "another")).isEmpty();
    }

    @Test
    void aDamagedShardIsNotFinished() throws Exception {
        write(path, 1000);
        Path file = temp.resolve("part-0");
        byte[] whole = Files.readAllBytes(file);
        byte[] flipped = whole.clone();
        flipped[whole.length / 3] ^= 1;
        Files.write(file, flipped);
        assertThat(ParquetShard.inspect(storage, path, PLAN)).isEmpty();
        Files.write(file, Arrays.copyOf(whole, whole.length - 5));
        assertThat(ParquetShard.inspect(storage, path, PLAN)).isEmpty();
        Files.write(file, new byte[0]);
        assertThat(ParquetShard.inspect(storage, path, PLAN)).isEmpty();
        Files.write(file, whole);
        assertThat(ParquetShard.inspect(storage, path, PLAN)).isPresent();
    }

    @Test
    void aLateTaskDoesNotReplaceAFinishedShard() throws Exception {
        ShardReceipt committed = write(path, 10);
        assertThat(write(path, 11)).as("the receipt of the one that is there").isEqualTo(committed);
        assertThat(ParquetShard.inspect(storage, path, PLAN)).contains(committed);
    }

    @Test
    void aDamagedShardAndAnotherPlansAreReplaced() throws Exception {
        write(path, 1000);
        Path file = temp.resolve("part-0");
        byte[] damaged = Files.readAllBytes(file);
        damaged[damaged.length / 3] ^= 1;
        Files.write(file, damaged);
        ShardReceipt mended = write(path, 10);
        assertThat(mended.rows()).isEqualTo(10);
        assertThat(ParquetShard.inspect(storage, path, PLAN)).contains(mended);

        ShardReceipt others = ParquetShard.write(storage, path, TYPE, "another plan", rows(11));
        assertThat(ParquetShard.inspect(storage, path, "another plan")).contains(others);
    }

    @Test
    void aShardWhoseRowsFailDoesNotAppear() {
        assertThatThrownBy(() -> ParquetShard.write(storage, path, TYPE, PLAN, sink -> {
                    sink.add(row(1));
                    throw new IOException("no more rows");
                }))
                .hasMessage("no more rows");
        assertThat(temp).isEmptyDirectory();
    }

    @Test
    void somethingElseIsBadData() throws Exception {
        storage.putString(path, "not Parquet at all");
        assertThatThrownBy(() -> ParquetShard.rows(storage, path))
                .isInstanceOf(DataException.class)
                .hasMessage("Cannot read " + path + ": it is not a Parquet file, or it is corrupt");
    }

    private ShardReceipt write(String to, int rows) throws IOException {
        return ParquetShard.write(storage, to, TYPE, PLAN, rows(rows));
    }

    static ParquetShard.Rows rows(int count) {
        return sink -> {
            for (int i = 0; i < count; i++) {
                sink.add(row(i));
            }
        };
    }

    private static GenericRecord row(int i) {
        return new GenericRecordBuilder(ParquetShard.avroSchema(TYPE))
                .set("sample_id", "s" + i)
                .set("class_id", i)
                .set(
                        "tokens",
                        new GenericData.Array<>(
                                ParquetShard.avroSchema(TYPE).getField("tokens").schema(),
                                IntStream.range(i, i + 3).boxed().toList()))
                .build();
    }
}
