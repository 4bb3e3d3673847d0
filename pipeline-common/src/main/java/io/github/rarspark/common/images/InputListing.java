package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.StoredFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * The files of an input in their order, in little memory: some ten bytes a file, in deflated blocks. Iterating inflates
 * one block at a time. Small enough for a driver that lists millions of files, and to be sent to and from tasks.
 */
public final class InputListing implements Serializable {
    private static final long serialVersionUID = 1L;

    private static final int FILES_PER_BLOCK = 4096;

    private final List<Block> blocks;

    /**
     * A file of the input.
     *
     * @param name its name within the input, with {@code /} between the parts
     * @param bytes its length
     * @param modified when it was last modified, in milliseconds since 1970; 0 where the listing leaves it out
     */
    public record File(String name, long bytes, long modified) {
        static File of(StoredFile file) {
            return new File(file.name(), file.bytes(), file.modified());
        }
    }

    private record Block(int files, byte[] deflated) implements Serializable {}

    private InputListing(List<Block> blocks) {
        this.blocks = List.copyOf(blocks);
    }

    /** The files of several listings, one after the other. */
    static InputListing concat(List<InputListing> listings) {
        return new InputListing(
                listings.stream().flatMap(listing -> listing.blocks.stream()).toList());
    }

    /** The number of files. */
    public long files() {
        return blocks.stream().mapToLong(Block::files).sum();
    }

    /** The files in their order. */
    public Stream<File> stream() {
        return blocks.stream().flatMap(block -> inflate(block).stream());
    }

    /** The files with names that {@code wanted} accepts, in the same order. */
    public InputListing only(Predicate<String> wanted) {
        Builder builder = new Builder();
        stream().filter(file -> wanted.test(file.name())).forEach(builder::add);
        return builder.build();
    }

    /** Collects files in their order. */
    static final class Builder {
        private final List<Block> blocks = new ArrayList<>();
        private final List<File> files = new ArrayList<>();

        void add(File file) {
            files.add(file);
            if (files.size() == FILES_PER_BLOCK) {
                endBlock();
            }
        }

        long files() {
            return blocks.stream().mapToLong(Block::files).sum() + files.size();
        }

        InputListing build() {
            endBlock();
            return new InputListing(blocks);
        }

        private void endBlock() {
            if (!files.isEmpty()) {
                blocks.add(new Block(files.size(), deflate(files)));
                files.clear();
            }
        }
    }

    /** Column by column, because equal things side by side take less space. */
    private static byte[] deflate(List<File> files) {
        ByteArrayOutputStream deflated = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(new DeflaterOutputStream(deflated))) {
            for (File file : files) {
                out.writeUTF(file.name());
            }
            for (File file : files) {
                out.writeLong(file.bytes());
            }
            for (File file : files) {
                out.writeLong(file.modified());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e); // A name of more than 64 KiB, which no file system has.
        }
        return deflated.toByteArray();
    }

    private static List<File> inflate(Block block) {
        String[] names = new String[block.files()];
        long[] bytes = new long[block.files()];
        List<File> files = new ArrayList<>(block.files());
        try (DataInputStream in =
                new DataInputStream(new InflaterInputStream(new ByteArrayInputStream(block.deflated())))) {
            for (int i = 0; i < names.length; i++) {
                names[i] = in.readUTF();
            }
            for (int i = 0; i < names.length; i++) {
                bytes[i] = in.readLong();
            }
            for (int i = 0; i < names.length; i++) {
                files.add(new File(names[i], bytes[i], in.readLong()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e); // Not of what deflate has written.
        }
        return files;
    }
}
