package io.github.rarspark.cli.weights;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.Near;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.ScanOrder;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weights merge-positions}: merges the two position tables into one, for sampling in one order. */
@Command(
        name = "merge-positions",
        sortOptions = false,
        description = "Merges a generator's two position tables into one, for sampling in a fixed order. OUT is a"
                + " safetensors file whose metadata names the order.")
final class WeightsMerge implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Mixin
    private WeightsFiles files;

    @Option(
            names = "--order",
            paramLabel = "O",
            order = 1,
            defaultValue = "row-major",
            description = "The scan order to merge for (default: ${DEFAULT-VALUE}).")
    private String order;

    /**
     * The JSON report.
     *
     * @param file the written file
     * @param order the order it can be used in
     * @param bytes its length
     * @param sha256 its hash
     */
    record Report(String file, String order, long bytes, String sha256) {}

    @Override
    public Integer call() throws IOException {
        ScanOrder fixed = scanOrder();
        if (files.outputFormat() != Safetensors.FORMAT) {
            throw new RecipeException("Cannot write " + files.output()
                    + ": only a safetensors file can record the order; give a name that ends in .safetensors");
        }
        options.requireWritable();
        Storage storage = CommandStorage.open();
        TensorFile file = files.open(storage);
        float[] merged = merged(file, fixed);
        List<TensorInfo> infos = file.tensors().values().stream()
                .map(info -> isTable(info.name()) ? new TensorInfo(info.name(), ElementType.F32, info.shape()) : info)
                .toList();
        Stored stored = storage.put(files.output(), out -> {
            TensorWriter writer =
                    Safetensors.FORMAT.begin(out, MergedPositions.metadata(file.metadata(), fixed), infos);
            for (TensorInfo info : infos) {
                writer.write(
                        info.name(),
                        switch (info.name()) {
                            case MergedPositions.POSITIONS -> bytes(merged);
                            case MergedPositions.TARGETS -> bytes(new float[merged.length]);
                            default -> file.data(info.name());
                        });
            }
            writer.finish();
        });
        options.write(new Report(files.output(), fixed.label(), stored.bytes(), stored.sha256()));
        if (!options.quiet()) {
            spec.commandLine()
                    .getOut()
                    .printf(
                            Locale.ROOT,
                            "%s: positions merged for the order %s, %,d bytes%n",
                            files.output(),
                            fixed.label(),
                            stored.bytes());
        }
        return ExitCode.OK.number();
    }

    private ScanOrder scanOrder() {
        try {
            return ScanOrder.labelled(order);
        } catch (IllegalArgumentException e) {
            List<String> labels =
                    Arrays.stream(ScanOrder.values()).map(ScanOrder::label).toList();
            String near = Near.clause(order, labels);
            throw new RecipeException(
                    "Cannot use --order " + order
                            + (near.isEmpty()
                                    ? ": give one of " + labels.stream().collect(Collectors.joining(", "))
                                    : near),
                    e);
        }
    }

    private float[] merged(TensorFile file, ScanOrder fixed) {
        MergedPositions.order(file.metadata()).ifPresent(before -> {
            throw new DataException(
                    "Cannot merge the positions of " + files.input() + ": they are already merged, for the order "
                            + before.label() + "; give the weights before merging");
        });
        if (!file.names().contains(MergedPositions.TARGETS)) {
            throw new DataException("Cannot merge the positions of " + files.input() + ": it has no '"
                    + MergedPositions.TARGETS + "'; give the weights of a RAR generator with target-aware positions");
        }
        TensorInfo positions = file.tensor(MergedPositions.POSITIONS);
        if (!positions.shape().equals(file.shape(MergedPositions.TARGETS))) {
            throw new DataException(
                    "Cannot merge the positions of " + files.input() + ": the tables have different shapes, "
                            + positions.shape() + " and " + file.shape(MergedPositions.TARGETS));
        }
        int tokens = MergedPositions.tokens(positions.shape(), files.input());
        try {
            return MergedPositions.merge(
                    file.floats(MergedPositions.POSITIONS),
                    file.floats(MergedPositions.TARGETS),
                    Math.toIntExact(positions.shape().get(2)),
                    fixed.of(tokens));
        } catch (IllegalArgumentException e) { // the kernel rejects the order for this grid
            throw new RecipeException("Cannot use --order " + order + ": " + e.getMessage(), e);
        }
    }

    private static boolean isTable(String name) {
        return name.equals(MergedPositions.POSITIONS) || name.equals(MergedPositions.TARGETS);
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }
}
