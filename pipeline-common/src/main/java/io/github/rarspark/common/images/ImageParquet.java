package io.github.rarspark.common.images;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rarspark.common.shard.ParquetFooter;
import io.github.rarspark.common.shard.ParquetFooter.RowGroup;
import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import shaded.parquet.org.apache.thrift.protocol.TProtocolException;

/**
 * Parquet files in the layout of image data sets on the Hugging Face hub: a column {@code image} of {@code bytes} and
 * {@code path}, and an integer column {@code label}, whose names stand in the footer under {@value #FEATURES_KEY}.
 *
 * @param classNames the class names in the first file; empty if it has none
 * @param files the files, sorted by name
 * @param warnings what the listing leaves out
 */
record ImageParquet(List<String> classNames, List<File> files, List<String> warnings) implements ListedImages {
    private static final String FEATURES_KEY = "huggingface";
    private static final String IMAGE = "image";
    private static final String BYTES = "bytes";
    private static final String LABEL = "label";

    static ImageParquet of(ListingTasks tasks, Storage storage, List<StoredFile> stored, List<String> warnings)
            throws IOException {
        List<File> files = tasks
                .map("read the footers of " + stored.size() + " Parquet files", stored, new ReadFooters(storage))
                .stream()
                .flatMap(List::stream)
                .toList();
        return new ImageParquet(classNames(files.get(0)), files, warnings);
    }

    /** Whether a file of this name is read as Parquet. */
    static boolean isParquet(String name) {
        return name.endsWith(".parquet");
    }

    @Override
    public InputListing listing() {
        InputListing.Builder listing = new InputListing.Builder();
        files.forEach(file -> listing.add(InputListing.File.of(file.stored())));
        return listing.build();
    }

    @Override
    public ImageParquet only(Predicate<String> wanted) {
        List<File> some =
                files.stream().filter(file -> wanted.test(file.stored().name())).toList();
        return new ImageParquet(classNames, some, warnings);
    }

    @Override
    public String sha256() {
        StringBuilder listing = new StringBuilder("parquet\n");
        for (File file : files) {
            listing.append(file.stored().name())
                    .append('\0')
                    .append(file.stored().bytes());
            listing.append('\0').append(file.rows());
            listing.append('\0').append(file.keyValues()).append('\n');
        }
        return Sha256.of(listing.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public OptionalLong images() {
        return OptionalLong.of(files.stream().mapToLong(File::rows).sum());
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        List<ImageUnit> units = new ArrayList<>();
        for (File file : files) {
            long rows = file.rows();
            for (long first = 0; first < rows; first += imagesPerUnit) {
                units.add(file.rows(first, Math.min(imagesPerUnit, rows - first)));
            }
        }
        return units;
    }

    private static void requireLayout(MessageType schema, String path) {
        if (!isBytes(schema) || !isLabel(schema)) {
            throw new DataException("Cannot read images from " + path
                    + ": expected a column image with a field bytes, and an integer column label; its columns are "
                    + schema.getFields().stream().map(Type::getName).toList());
        }
    }

    private static boolean isBytes(MessageType schema) {
        if (!schema.containsField(IMAGE) || schema.getType(IMAGE).isPrimitive()) {
            return false;
        }
        var image = schema.getType(IMAGE).asGroupType();
        return image.containsField(BYTES) && hasType(image.getType(BYTES), PrimitiveTypeName.BINARY);
    }

    private static boolean isLabel(MessageType schema) {
        return schema.containsField(LABEL)
                && (hasType(schema.getType(LABEL), PrimitiveTypeName.INT64)
                        || hasType(schema.getType(LABEL), PrimitiveTypeName.INT32));
    }

    private static boolean hasType(Type type, PrimitiveTypeName name) {
        return type instanceof PrimitiveType primitive
                && primitive.getPrimitiveTypeName() == name
                && !primitive.isRepetition(Type.Repetition.REPEATED);
    }

    private static List<String> classNames(File file) {
        String features = file.keyValues().get(FEATURES_KEY);
        List<String> names = new ArrayList<>();
        if (features != null) {
            JsonNode root = Json.read(
                    features.getBytes(StandardCharsets.UTF_8),
                    JsonNode.class,
                    "the key " + FEATURES_KEY + " of " + file.stored().path());
            root.at("/info/features/label/names").forEach(name -> names.add(name.asText()));
        }
        return List.copyOf(names);
    }

    private record ReadFooters(Storage storage) implements UnitTasks.Work<ArrayList<StoredFile>, ArrayList<File>> {
        @Override
        public ArrayList<File> run(ArrayList<StoredFile> files) throws IOException {
            ArrayList<File> read = new ArrayList<>();
            for (StoredFile file : files) {
                UnitTasks.endIfKilled();
                ParquetFooter footer = ParquetFooter.read(storage, file.path());
                requireLayout(footer.schema(), file.path());
                read.add(new File(file, new TreeMap<>(footer.keyValues()), footer.rowGroups()));
            }
            return read;
        }
    }

    /** A file and what its footer says. */
    record File(StoredFile stored, TreeMap<String, String> keyValues, List<RowGroup> rowGroups)
            implements Serializable {
        /** The number of rows. */
        long rows() {
            return rowGroups.stream().mapToLong(RowGroup::rows).sum();
        }

        /** The rows [first, first + count), with the row groups that hold them. */
        Rows rows(long first, long count) {
            List<RowGroup> groups = rowGroups.stream()
                    .filter(group -> group.firstRow() < first + count && first < group.firstRow() + group.rows())
                    .toList();
            RowGroup start = groups.get(0);
            RowGroup end = groups.get(groups.size() - 1);
            return new Rows(
                    stored.path(),
                    stored.name(),
                    first,
                    count,
                    first - start.firstRow(),
                    start.startByte(),
                    end.startByte() + end.bytes());
        }
    }

    /** Rows of a file: {@code rows} rows from row {@code first}, behind {@code skip} other rows of the byte range. */
    private record Rows(String path, String name, long first, long rows, long skip, long startByte, long endByte)
            implements ImageUnit {
        @Override
        public OptionalLong images() {
            return OptionalLong.of(rows);
        }

        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            MessageType schema = ParquetFooter.read(storage, path).schema();
            MessageType wanted = new MessageType(schema.getName(), schema.getType(IMAGE), schema.getType(LABEL));
            try (ParquetReader<GenericRecord> reader = ParquetShard.read(storage, path, wanted, startByte, endByte)) {
                for (long i = first - skip; i < first; i++) {
                    next(reader, i);
                }
                for (long i = first; i < first + rows; i++) {
                    GenericRecord row = next(reader, i);
                    sink.accept(image(name + "#" + i, row));
                }
            }
        }

        private GenericRecord next(ParquetReader<GenericRecord> reader, long index) throws IOException {
            GenericRecord row;
            try {
                row = reader.read();
            } catch (RuntimeException e) {
                // Parquet's decoders do not validate, so corrupt pages cause exceptions of any type.
                throw damaged(index, e);
            } catch (IOException e) {
                if (e.getCause() instanceof TProtocolException) {
                    throw damaged(index, e);
                }
                throw e;
            }
            if (row == null) {
                throw new DataException("Cannot read " + path + ": it has fewer rows than when it was listed");
            }
            return row;
        }

        private DataException damaged(long index, Exception cause) {
            return new DataException("Cannot read row " + index + " of " + path + ": the file is corrupt", cause);
        }

        private static StoredImage image(String id, GenericRecord row) {
            Object label = row.get(LABEL);
            long value = label == null ? -1 : ((Number) label).longValue();
            return value == (int) value
                    ? StoredImage.of(id, (int) value, bytes(row))
                    : new StoredImage.Unreadable(id, -1, "its label " + value + " is not a class");
        }

        private static byte[] bytes(GenericRecord row) {
            Object image = row.get(IMAGE);
            return image == null ? new byte[0] : RowCodec.bytes((GenericRecord) image, BYTES);
        }
    }
}
