package io.github.rarspark.common.testing;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An HTTP/1.1 request or response.
 *
 * @param lines of its head: the request or status line, and the headers
 * @param body as it was sent, so with the framing of chunks
 */
record HttpMessage(List<String> lines, byte[] body) {
    private static final int MOST_HEAD_BYTES = 1 << 16;

    /** Reads the head of a message; empty at the end of the connection. */
    static Optional<HttpMessage> readHead(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        int bytes = 0;
        for (String line = readLine(in); line != null; line = readLine(in)) {
            bytes += line.length();
            if (line.isEmpty()) {
                return Optional.of(new HttpMessage(List.copyOf(lines), new byte[0]));
            }
            if (bytes > MOST_HEAD_BYTES) {
                throw new IOException("A head of more than " + MOST_HEAD_BYTES + " bytes");
            }
            lines.add(line);
        }
        return Optional.empty();
    }

    /** This message with the body that follows its head. */
    HttpMessage withBodyOf(InputStream in) throws IOException {
        if (header("Transfer-Encoding").filter("chunked"::equalsIgnoreCase).isPresent()) {
            return new HttpMessage(lines, readChunks(in));
        }
        int length = Integer.parseInt(header("Content-Length").orElse("0"));
        byte[] content = in.readNBytes(length);
        if (content.length < length) {
            throw new EOFException("The body ends after " + content.length + " of " + length + " bytes");
        }
        return new HttpMessage(lines, content);
    }

    /** The first value of a header. */
    Optional<String> header(String name) {
        String prefix = name.toLowerCase(Locale.ROOT) + ":";
        return lines.stream()
                .skip(1)
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(line -> line.substring(prefix.length()).strip())
                .findFirst();
    }

    /** Without the headers of this name. */
    HttpMessage without(String name) {
        String prefix = name.toLowerCase(Locale.ROOT) + ":";
        return new HttpMessage(
                lines.stream()
                        .filter(line -> !line.toLowerCase(Locale.ROOT).startsWith(prefix))
                        .toList(),
                body);
    }

    /** A word of the first line: 0 is a request's method, 1 its target or a response's status. */
    String word(int index) {
        return lines.get(0).split(" ")[index];
    }

    /** The bytes of this message, without its last {@code omitted} ones. */
    byte[] bytes(int omitted) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes((String.join("\r\n", lines) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.write(body, 0, body.length - omitted);
        return out.toByteArray();
    }

    private static byte[] readChunks(InputStream in) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        while (true) {
            String size = readLine(in);
            if (size == null) {
                throw new EOFException("The body ends between chunks");
            }
            int length = Integer.parseInt(size.split(";")[0].strip(), 16);
            out.writeBytes((size + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            out.writeBytes(in.readNBytes(length + 2));
            if (length == 0) {
                return out.toByteArray();
            }
        }
    }

    /** A line without its end; null at the end of the connection. */
    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
            }
            line.write(next);
        }
        return null;
    }
}
