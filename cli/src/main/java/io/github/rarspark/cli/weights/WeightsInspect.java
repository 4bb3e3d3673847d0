package io.github.rarspark.cli.weights;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weights inspect}: describes weight files. */
@Command(
        name = "inspect",
        sortOptions = false,
        description = "Describes weight files: format, tensors, types, and the option that each is for.")
final class WeightsInspect implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Parameters(
            arity = "1..*",
            paramLabel = "FILE",
            description = "Files or URIs of safetensors files and of state dicts that torch.save wrote.")
    private List<String> files;

    @Option(names = "--tensors", order = 1, description = "Also print every tensor.")
    private boolean everyTensor;

    /** The JSON report. */
    record Report(List<Inspected> files) {}

    /**
     * One file.
     *
     * @param file its URI
     * @param format {@code safetensors}, {@code torch_zip} or {@code torch_legacy}
     * @param bytes its length
     * @param kind the kind of model
     * @param description the model
     * @param use the option it is for
     * @param parameters total number of elements
     * @param dtypes number of tensors of each type
     * @param metadata the file's key-value metadata
     * @param tensors all tensors in the file's order
     */
    record Inspected(
            String file,
            String format,
            long bytes,
            String kind,
            String description,
            String use,
            long parameters,
            Map<String, Long> dtypes,
            Map<String, String> metadata,
            List<Tensor> tensors) {}

    /** A tensor. */
    record Tensor(String name, String dtype, long[] shape) {}

    @Override
    public Integer call() throws IOException {
        options.requireWritable();
        Storage storage = CommandStorage.open();
        List<Inspected> inspected = new ArrayList<>();
        for (String file : files) {
            inspected.add(inspect(storage, file));
        }
        options.write(new Report(inspected));
        if (!options.quiet()) {
            inspected.forEach(one -> print(one, spec.commandLine().getOut()));
        }
        return ExitCode.OK.number();
    }

    /**
     * Opens a weight file, a local one in place.
     *
     * @throws JobException {@link ExitCode#NO_INPUT} if it is missing or a folder
     */
    static TensorFile open(Storage storage, String file) throws IOException {
        WeightFile.require(storage, "file", file);
        Optional<Path> local = storage.localPath(file);
        if (local.isPresent()) {
            return TensorFile.open(local.get());
        }
        try (InputStream in = storage.open(file)) {
            return TensorFile.open(in, file);
        }
    }

    private static Inspected inspect(Storage storage, String file) throws IOException {
        TensorFile tensors = open(storage, file);
        long bytes = storage.length(file);
        WeightContent content = WeightContent.of(tensors.tensors());
        Map<String, Long> dtypes = tensors.tensors().values().stream()
                .collect(Collectors.groupingBy(info -> info.type().name(), TreeMap::new, Collectors.counting()));
        return new Inspected(
                file,
                tensors.format().name(),
                bytes,
                content.kind().name().toLowerCase(Locale.ROOT),
                content.description(),
                use(content.kind()),
                tensors.tensors().values().stream()
                        .mapToLong(TensorInfo::elements)
                        .sum(),
                dtypes,
                tensors.metadata(),
                tensors.tensors().values().stream()
                        .map(info -> new Tensor(
                                info.name(), info.type().name(), info.shape().getShape()))
                        .toList());
    }

    /** The option that a file of this kind is for. */
    private static String use(WeightContent.Kind kind) {
        return switch (kind) {
            case RAR -> "--weights of generate, --init of train";
            case VQGAN -> "--tokenizer of tokenize, train and generate";
            case CLASSIFIER -> "--features classifier:FILE of fid";
            case INCEPTION -> "--features inception:FILE of fid";
            case TRAINING_STATE -> "only part of its training checkpoint";
            case UNKNOWN -> "none";
        };
    }

    private void print(Inspected one, PrintWriter out) {
        String dtypes = one.dtypes().entrySet().stream()
                .map(entry -> entry.getValue() + " of " + entry.getKey())
                .collect(Collectors.joining(", "));
        out.printf(Locale.ROOT, "%s: %s%n", one.file(), one.description());
        out.printf(Locale.ROOT, "  use        %s%n", one.use());
        out.printf(Locale.ROOT, "  format     %s, %,d bytes%n", one.format(), one.bytes());
        out.printf(Locale.ROOT, "  tensors    %d (%s)%n", one.tensors().size(), dtypes);
        out.printf(Locale.ROOT, "  parameters %,d%n", one.parameters());
        one.metadata().forEach((key, value) -> out.printf("  %s = %s%n", printable(key), printable(value)));
        if (everyTensor) {
            for (Tensor tensor : one.tensors()) {
                String shape = Arrays.toString(tensor.shape());
                out.printf("  %-5s %-24s %s%n", tensor.dtype(), shape, printable(tensor.name()));
            }
        }
    }

    /** Text from a file on one line, without control characters, which a terminal would interpret. */
    private static String printable(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() > 200 ? line.substring(0, 200) + "..." : line;
    }
}
