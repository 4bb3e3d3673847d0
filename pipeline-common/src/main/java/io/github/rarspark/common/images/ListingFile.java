package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.ContentWriter;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/** The files that a generation of an output was made of: a line of JSON for each, compressed with gzip. */
public final class ListingFile {
    private ListingFile() {}

    /** The name of a generation's listing in the output. */
    public static String name(int generation) {
        return String.format(Locale.ROOT, "_listing-%03d.jsonl.gz", generation);
    }

    /** Writes the files in their order; equal listings have equal bytes. */
    public static ContentWriter writer(InputListing listing) {
        return out -> {
            GZIPOutputStream compressed = new GZIPOutputStream(out);
            Writer lines = new OutputStreamWriter(compressed, StandardCharsets.UTF_8);
            for (InputListing.File file : (Iterable<InputListing.File>) listing.stream()::iterator) {
                lines.append(Json.line(file)).append('\n');
            }
            lines.flush();
            compressed.finish();
        };
    }

    /**
     * Reads the files of a generation in their order.
     *
     * @param directory the output
     * @throws DataException if the listing is missing or damaged
     */
    public static void read(Storage storage, String directory, int generation, Consumer<InputListing.File> files)
            throws IOException {
        String path = Storage.child(directory, name(generation));
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(storage.open(path)), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                files.accept(Json.read(line.getBytes(StandardCharsets.UTF_8), InputListing.File.class, path));
            }
        } catch (FileNotFoundException e) {
            throw new DataException(
                    "Cannot add to " + directory + ": it has no " + name(generation)
                            + ", as outputs of earlier versions; tokenize all into another output",
                    e);
        } catch (ZipException | EOFException e) {
            throw new DataException("Cannot read " + path + ": it is damaged; tokenize all into another output", e);
        }
    }
}
