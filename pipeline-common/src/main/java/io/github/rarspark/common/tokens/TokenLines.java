package io.github.rarspark.common.tokens;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.error.DataException;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Tokens as lines of JSON, in the format of the public implementation: {@code {"class_id": 3, "tokens": [17, 4, ...]}}.
 * One file is one block.
 */
public final class TokenLines implements TokenSource {
    private static final long serialVersionUID = 1L;
    private static final int FIRST_ROWS = 1024;

    private final Storage storage;
    private final String path;
    private final String sha256;
    private final long rows;
    private final TokenShape shape;

    private TokenLines(Storage storage, String path, String sha256, long rows, TokenShape shape) {
        this.storage = storage;
        this.path = path;
        this.sha256 = sha256;
        this.rows = rows;
        this.shape = shape;
    }

    static TokenLines open(Storage storage, String path, TokenShape shape) throws IOException {
        long rows = 0;
        try (BufferedReader lines = lines(storage, path)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                rows += line.isBlank() ? 0 : 1;
            }
        }
        return new TokenLines(storage, path, Sha256.of(storage, path), rows, shape);
    }

    /** Writes all rows of {@code source} as one file of lines, in their order. */
    public static Stored write(Storage storage, String path, TokenSource source) throws IOException {
        return storage.put(path, out -> {
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
        });
    }

    @Override
    public String sha256() {
        return sha256;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public List<String> classNames() {
        return List.of();
    }

    @Override
    public int blocks() {
        return 1;
    }

    @Override
    public TokenBlock read(int block) throws IOException {
        TokenBlock.Builder builder = new TokenBlock.Builder(shape, path, FIRST_ROWS);
        ObjectReader json = new JsonMapper().reader();
        long number = 0;
        try (BufferedReader lines = lines(storage, path)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    add(builder, parse(json, line, number), number);
                }
            }
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

    private DataException malformed(long number, Throwable cause) {
        return new DataException(
                "Cannot read " + path + ", line " + number
                        + ": expected {\"class_id\": 3, \"tokens\": [17, 4, ...]} with integers",
                cause);
    }

    private static BufferedReader lines(Storage storage, String path) throws IOException {
        return new BufferedReader(new InputStreamReader(storage.open(path), StandardCharsets.UTF_8));
    }
}
