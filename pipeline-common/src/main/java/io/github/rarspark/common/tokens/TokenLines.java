package io.github.rarspark.common.tokens;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rarspark.common.storage.ContentWriter;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.util.LimitInputStream;

/**
 * Tokens as lines of JSON, in the format of the public implementation: {@code {"class_id": 3, "tokens": [17, 4, ...]}}.
 * Lines without content are skipped. A file is read once when it is opened, to count its lines and to note where blocks
 * of them begin, and then block by block.
 */
public final class TokenLines implements TokenSource {
    private static final long serialVersionUID = 1L;
    private static final int MOST_ROWS = 1 << 16;
    private static final int MOST_TOKENS = 1 << 24;

    private final Storage storage;
    private final String path;
    private final LineBlocks lines;
    private final TokenShape shape;

    private TokenLines(Storage storage, String path, LineBlocks lines, TokenShape shape) {
        this.storage = storage;
        this.path = path;
        this.lines = lines;
        this.shape = shape;
    }

    static TokenLines open(Storage storage, String path, TokenShape shape) throws IOException {
        return open(storage, path, shape, Math.max(1, Math.min(MOST_ROWS, MOST_TOKENS / shape.tokens())));
    }

    /**
     * Reads a file to its end.
     *
     * @param shape the expected shape of the rows
     * @param linesPerBlock how many lines with content each block but the last has
     */
    public static TokenLines open(Storage storage, String path, TokenShape shape, int linesPerBlock)
            throws IOException {
        try (InputStream in = storage.open(path)) {
            return new TokenLines(storage, path, LineBlocks.scan(in, linesPerBlock), shape);
        }
    }

    /** Writes all rows of {@code source} as lines, in their order. */
    public static ContentWriter writer(TokenSource source) {
        return out -> {
            try (JsonGenerator json = new JsonFactory().createGenerator(new BufferedOutputStream(out))) {
                json.setRootValueSeparator(null);
                for (int b = 0; b < source.blocks(); b++) {
                    TokenBlock block = source.read(b);
                    long[] tokens = new long[block.tokensPerRow()];
                    for (int row = 0; row < block.rows(); row++) {
                        block.copyTokens(row, tokens, 0);
                        json.writeStartObject();
                        json.writeNumberField("class_id", block.classIds()[row]);
                        json.writeFieldName("tokens");
                        json.writeArray(tokens, 0, tokens.length);
                        json.writeEndObject();
                        json.writeRaw('\n');
                    }
                }
            }
        };
    }

    @Override
    public String sha256() {
        return lines.sha256();
    }

    @Override
    public long rows() {
        return lines.lines();
    }

    @Override
    public int tokensPerRow() {
        return shape.tokens();
    }

    @Override
    public List<String> classNames() {
        return List.of();
    }

    @Override
    public int blocks() {
        return lines.blocks().size();
    }

    @Override
    public List<Long> blockRows() {
        return lines.blocks().stream().map(block -> (long) block.lines()).toList();
    }

    @Override
    public TokenBlock read(int block) throws IOException {
        LineBlocks.Block range = lines.blocks().get(block);
        String from = range.firstLine() == 1 ? "" : ", from line " + range.firstLine();
        TokenBlock.Builder builder = new TokenBlock.Builder(shape, path + from, range.lines());
        ObjectReader json = new JsonMapper()
                .reader()
                .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .with(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        MessageDigest digest = Sha256.digest();
        try (FSDataInputStream file = storage.open(path)) {
            file.seek(range.offset());
            InputStream in = new DigestInputStream(new LimitInputStream(file, range.bytes()), digest);
            BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            long number = range.firstLine();
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!LineBlocks.isBlank(line)) {
                    add(builder, parse(json, line, number), number);
                }
                number++;
            }
        } catch (EOFException e) {
            throw changed(e);
        }
        if (!HexFormat.of().formatHex(digest.digest()).equals(range.sha256())) {
            throw changed(null);
        }
        return builder.build();
    }

    private void add(TokenBlock.Builder builder, JsonNode row, long number) {
        JsonNode classId = row.path("class_id");
        JsonNode tokens = row.path("tokens");
        if (!classId.isIntegralNumber() || !tokens.isArray()) {
            throw malformed(number, null);
        }
        builder.row(classId.longValue(), tokens.size());
        for (JsonNode token : tokens) {
            if (!token.isIntegralNumber()) {
                throw malformed(number, null);
            }
            builder.token(token.longValue());
        }
    }

    private JsonNode parse(ObjectReader json, String line, long number) {
        try {
            return json.readTree(line);
        } catch (JsonProcessingException e) {
            throw malformed(number, e);
        }
    }

    private DataException changed(Throwable cause) {
        return new DataException("Cannot read " + path + ": it has changed since the job began; run again", cause);
    }

    private DataException malformed(long number, Throwable cause) {
        return new DataException(
                "Cannot read " + path + ", line " + number
                        + ": expected {\"class_id\": 3, \"tokens\": [17, 4, ...]} with integers, each field once",
                cause);
    }
}
