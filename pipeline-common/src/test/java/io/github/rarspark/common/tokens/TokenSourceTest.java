package io.github.rarspark.common.tokens;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.common.testing.TokenTable;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenSourceTest {
    private static final TokenShape SHAPE = new TokenShape(4, 32768, 3);

    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());
    private String output;

    @BeforeEach
    void name() {
        output = temp.resolve("tokens").toString();
    }

    @Test
    void schemaIsTheDocumentedOne() {
        assertThat(TokenFormat.TYPE)
                .isEqualTo(
                        MessageTypeParser.parseMessageType(
                                """
                        message token_row {
                          required binary sample_id (STRING);
                          required int32 class_id;
                          required int32 crop;
                          required group tokens (LIST) {
                            repeated group list {
                              required int32 element (INTEGER(16,true));
                            }
                          }
                        }
                        """));
        assertThat(TokenFormat.shardName(2, 17)).isEqualTo("part-002-00017.parquet");
    }

    @Test
    void shardsAreReadInOrder() throws Exception {
        write(List.of("cat", "dog", "eel"), 3, 0, 2);
        TokenSource source = TokenSource.open(storage, "--tokens", output, SHAPE);
        assertThat(source.rows()).isEqualTo(5);
        assertThat(source.blocks()).isEqualTo(3);
        assertThat(source.classNames()).containsExactly("cat", "dog", "eel");
        TokenTable table = TokenTable.of(source);
        assertThat(table.rows()).isEqualTo(5);
        for (int row = 0; row < 5; row++) {
            long[] tokens = new long[5];
            table.copyTokens(row, tokens, 1);
            assertThat(tokens).containsExactly(0, row, 10 + row, 20 + row, 32767 - row);
            assertThat(table.classId(row)).isEqualTo(row % 3);
        }
        assertThatThrownBy(() -> table.classId(5)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void linesHoldWhatTheShardsHold() throws Exception {
        write(List.of("cat", "dog", "eel"), 2, 1);
        TokenSource shards = TokenSource.open(storage, "--tokens", output, SHAPE);
        String path = temp.resolve("tokens.jsonl").toString();
        storage.put(path, TokenLines.writer(shards));
        assertThat(storage.readString(path))
                .isEqualTo(
                        """
                        {"class_id":0,"tokens":[0,10,20,32767]}
                        {"class_id":1,"tokens":[1,11,21,32766]}
                        {"class_id":2,"tokens":[2,12,22,32765]}
                        """);
        TokenSource lines = TokenSource.open(storage, "--tokens", path, SHAPE);
        assertThat(lines.rows()).isEqualTo(3);
        TokenTable table = TokenTable.of(lines);
        for (int row = 0; row < 3; row++) {
            long[] expected = new long[4];
            long[] actual = new long[4];
            TokenTable.of(shards).copyTokens(row, expected, 0);
            table.copyTokens(row, actual, 0);
            assertThat(actual).isEqualTo(expected);
        }
    }

    @Test
    void linesOfThePublicKindAreRead() throws Exception {
        Path file = Files.writeString(temp.resolve("x.jsonl"), "{\"class_id\": 2, \"tokens\": [7, 0, 32767, 5]}\n\n");
        TokenBlock block =
                TokenSource.open(storage, "--tokens", file.toString(), SHAPE).read(0);
        assertThat(block.classIds()).containsExactly(2);
        assertThat(block.tokens()).containsExactly((short) 7, (short) 0, (short) 32767, (short) 5);
    }

    @Test
    void aModelOfMoreClassesThanTheTokensIsWarnedAbout() throws Exception {
        write(List.of("cat", "dog", "eel"), 3);
        assertThat(TokenSource.open(storage, "--tokens", output, SHAPE).warnings())
                .isEmpty();
        assertThat(TokenSource.open(storage, "--tokens", output, new TokenShape(4, 32768, 4))
                        .warnings())
                .containsExactly("the tokens in " + output + " are of 3 classes, and model.classes=4: the model learns"
                        + " nothing about the classes from 3 on; set model.classes=3 unless it is to learn them later");
    }

    @Test
    void manyLinesAreReadInBlocks() throws Exception {
        Path file = temp.resolve("many.jsonl");
        int rows = 150_000;
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (int i = 0; i < rows; i++) {
                out.write("{\"class_id\":" + i % 3 + ",\"tokens\":[" + i / 300 + ",1,2," + i % 300 + "]}");
                out.write(i % 7 == 0 ? "\r\n \r" : "\n");
            }
            out.write("{\"class_id\":9,\"tokens\":[0,0,0,0]}");
        }
        TokenSource source = TokenSource.open(storage, "--tokens", file.toString(), SHAPE);
        assertThat(source.rows()).isEqualTo(rows + 1);
        assertThat(source.sha256()).isEqualTo(Sha256.of(Files.readAllBytes(file)));
        assertThat(source.blocks()).isEqualTo(3);
        assertThatThrownBy(() -> source.read(2)).hasMessageContaining("has class 9, expected 0 to 2");
        TokenTable table = new TokenTable(List.of(source.read(0), source.read(1)));
        long[] tokens = new long[4];
        for (int i = 0; i < table.rows(); i++) {
            table.copyTokens(i, tokens, 0);
            assertThat(tokens).containsExactly(i / 300, 1, 2, i % 300);
            assertThat(table.classId(i)).isEqualTo(i % 3);
        }
        assertThat(table.rows()).isEqualTo(2 << 16);
    }

    @Test
    void blocksAreCutByTokensToo() throws Exception {
        int length = 1 << 21;
        String line = "{\"class_id\":1,\"tokens\":[" + "0,".repeat(length - 1) + "5]}\n";
        Path file = Files.writeString(temp.resolve("long.jsonl"), line.repeat(9));
        TokenSource source = TokenSource.open(storage, "--tokens", file.toString(), new TokenShape(length, 6, 2));
        assertThat(source.blocks()).isEqualTo(2);
        assertThat(source.read(0).rows()).isEqualTo(8);
        assertThat(source.read(1).tokens()).hasSize(length).endsWith((short) 5);
    }

    @Test
    void aLineOfABlockIsCountedThroughTheFile() throws Exception {
        Path file = Files.writeString(
                temp.resolve("x.jsonl"),
                "{\"class_id\": 2, \"tokens\": [7, 0, 1, 5]}\r\n".repeat(70_000) + "\n\r\noops\n");
        assertFails(ExitCode.DATA, () -> TokenTable.of(TokenSource.open(storage, "--tokens", file.toString(), SHAPE)))
                .contains("x.jsonl, line 70003: expected {");
    }

    @Test
    void tokensWithoutRowsAreRefused() throws Exception {
        Path file = Files.writeString(temp.resolve("x.jsonl"), "\n \n");
        assertFails(ExitCode.DATA, () -> TokenSource.open(storage, "--tokens", file.toString(), SHAPE))
                .isEqualTo("Cannot use the tokens in " + file + ": it has no rows; give tokens of images");
        write(List.of("cat", "dog", "eel"), 0, 0);
        assertFails(ExitCode.DATA, () -> TokenSource.open(storage, "--tokens", output, SHAPE))
                .contains("it has no rows");
    }

    @Test
    void aFileThatChangedSinceItWasOpenedIsRefused() throws Exception {
        String row = "{\"class_id\": 2, \"tokens\": [7, 0, 1, 5]}\n";
        Path file = Files.writeString(temp.resolve("x.jsonl"), row.repeat(3));
        TokenSource source = TokenSource.open(storage, "--tokens", file.toString(), SHAPE);
        Files.writeString(file, row.repeat(2));
        assertFails(ExitCode.DATA, () -> source.read(0)).contains("it has changed since the job began; run again");
        Files.writeString(file, row.repeat(2) + row.replace('7', '8'));
        assertFails(ExitCode.DATA, () -> source.read(0)).contains("it has changed since the job began; run again");
        Files.writeString(file, row.repeat(4));
        assertThat(source.read(0).rows()).isEqualTo(3);
    }

    @Test
    void aChangeIsFoundInTheBlockThatHasIt() throws Exception {
        String row = "{\"class_id\": 2, \"tokens\": [7, 0, 1, 5]}\r\n";
        int perBlock = 1 << 16;
        Path file = Files.writeString(temp.resolve("x.jsonl"), "\n " + row.repeat(2 * perBlock) + "\r\n");
        TokenSource source = TokenSource.open(storage, "--tokens", file.toString(), SHAPE);
        assertThat(source.blocks()).isEqualTo(2);
        byte[] bytes = Files.readAllBytes(file);
        int second = 2 + perBlock * row.length();
        bytes[second + row.indexOf('7')] = '8';
        Files.write(file, bytes);
        assertThat(source.read(0).rows()).isEqualTo(perBlock);
        assertFails(ExitCode.DATA, () -> source.read(1)).contains("it has changed since the job began");
        Files.write(file, Arrays.copyOf(bytes, second - 10));
        assertFails(ExitCode.DATA, () -> source.read(1)).contains("it has changed since the job began");
    }

    @Test
    void aShardTooLargeForMemoryNamesTheSetting() {
        assertFails(
                        ExitCode.DATA,
                        () -> new TokenBlock.Builder(new TokenShape(256, 1024, 3), "part.parquet", 10_000_000))
                .contains("10000000 rows of 256 tokens")
                .contains("tokenize.shard_images");
    }

    @Test
    void badLinesAreNamed() throws Exception {
        expectBadLine("{\"class_id\": 3, \"tokens\": [7, 0, 1, 5]}", "row 0 has class 3, expected 0 to 2");
        expectBadLine("{\"class_id\": -1, \"tokens\": [7, 0, 1, 5]}", "row 0 has class -1, expected 0 to 2");
        expectBadLine("{\"class_id\": 1, \"tokens\": [7, 0, 1]}", "row 0 has 3 tokens, expected 4");
        expectBadLine("{\"class_id\": 1, \"tokens\": [7, 0, 1, 32768]}", "the token 32768, expected 0 to 32767");
        expectBadLine("{\"class_id\": 1, \"tokens\": [7, 0, 1, -1]}", "the token -1, expected 0 to 32767");
        expectBadLine("{\"class_id\": 1, \"tokens\": [7, 0, 1, 1.5]}", ", line 1: expected {\"class_id\": 3,");
        expectBadLine("{\"label\": 1, \"tokens\": [7, 0, 1, 5]}", ", line 1: expected {\"class_id\": 3,");
        expectBadLine("{\"class_id\": 1, \"tokens\": [7, 0, 1, 5]} {}", ", line 1: expected {\"class_id\": 3,");
        expectBadLine("[7", ", line 1: expected {\"class_id\": 3,");
    }

    @Test
    void outputsOfAnotherShapeAreRefused() throws Exception {
        write(List.of("cat", "dog", "eel"), 1);
        expectMismatch(new TokenShape(16, 32768, 3), "images have 4 tokens, but model.tokens=16");
        expectMismatch(new TokenShape(4, 1024, 3), "their tokenizer has 32768 codes, but model.codes=1024");
        expectMismatch(new TokenShape(4, 32768, 2), "they have 3 classes, but model.classes=2; set model.classes=3");
    }

    @Test
    void aDamagedShardIsNamed() throws Exception {
        write(List.of("cat", "dog", "eel"), 2, 2);
        Path shard = Path.of(output, "part-000-00001.parquet");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[bytes.length / 2] ^= 1;
        Files.write(shard, bytes);
        TokenSource source = TokenSource.open(storage, "--tokens", output, SHAPE);
        assertThat(source.read(0).rows()).isEqualTo(2);
        assertFails(ExitCode.DATA, () -> source.read(1))
                .contains("part-000-00001.parquet: its checksum does not match the manifest");
    }

    @Test
    void anOutputWithoutAManifestIsNoInput() throws Exception {
        Files.createDirectories(Path.of(output));
        assertFails(ExitCode.NO_INPUT, () -> TokenSource.open(storage, "--tokens", output, SHAPE));
        assertFails(ExitCode.NO_INPUT, () -> TokenSource.open(storage, "--tokens", output + "-not", SHAPE))
                .isEqualTo("Cannot read --tokens " + output + "-not: it does not exist");
    }

    private void expectBadLine(String line, String message) throws IOException {
        String path = Files.writeString(temp.resolve("bad.jsonl"), line + "\n").toString();
        assertFails(ExitCode.DATA, () -> TokenTable.of(TokenSource.open(storage, "--tokens", path, SHAPE)))
                .contains("bad.jsonl")
                .contains(message);
    }

    private void expectMismatch(TokenShape shape, String message) {
        assertFails(ExitCode.DATA, () -> TokenSource.open(storage, "--tokens", output, shape))
                .contains(message);
    }

    /** Shards of these many rows; row i has class i mod 3. */
    private void write(List<String> classNames, int... rowsOfShards) throws IOException {
        TokenSets.write(
                storage,
                output,
                2,
                32768,
                classNames,
                i -> new TokenRow("image " + i, (int) i % 3, 0, new long[] {i, 10 + i, 20 + i, 32767 - i}),
                rowsOfShards);
    }
}
