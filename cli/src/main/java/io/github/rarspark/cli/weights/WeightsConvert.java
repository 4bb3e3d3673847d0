package io.github.rarspark.cli.weights;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.format.WritableFormat;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.kernel.weights.torch.TorchZip;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weights convert}: writes the same tensors in another format or type. */
@Command(
        name = "convert",
        sortOptions = false,
        description = "Converts a weight file to another format or element type.")
final class WeightsConvert implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Mixin
    private WeightsFiles files;

    @Option(
            names = "--format",
            paramLabel = "F",
            order = 1,
            description = "safetensors, or bin for torch.load (default: by the extension of OUT).")
    private String format;

    @Option(
            names = "--dtype",
            paramLabel = "T",
            order = 2,
            description = "fp32, fp16 or bf16; converts tensors of these types only (default: unchanged).")
    private String dtype;

    /**
     * The JSON report.
     *
     * @param file the written file
     * @param format its format
     * @param bytes its length
     * @param sha256 its hash
     * @param tensors its number of tensors
     */
    record Report(String file, String format, long bytes, String sha256, int tensors) {}

    @Override
    public Integer call() throws IOException {
        WritableFormat target = targetFormat();
        ElementType type = targetType();
        options.requireWritable();
        Storage storage = CommandStorage.open();
        TensorFile file = files.open(storage);
        List<TensorInfo> infos = file.tensors().values().stream()
                .map(info -> new TensorInfo(info.name(), converted(info, type), info.shape()))
                .toList();
        Stored stored = storage.put(files.output(), out -> {
            TensorWriter writer = target.begin(out, file.metadata(), infos);
            for (TensorInfo info : infos) {
                writer.write(info.name(), file.data(info.name(), info.type()));
            }
            writer.finish();
        });
        Report report = new Report(files.output(), target.name(), stored.bytes(), stored.sha256(), infos.size());
        options.write(report);
        if (!options.quiet()) {
            spec.commandLine()
                    .getOut()
                    .printf(
                            Locale.ROOT,
                            "%s: %s, %d tensors, %,d bytes%n",
                            report.file(),
                            report.format(),
                            report.tensors(),
                            report.bytes());
        }
        return ExitCode.OK.number();
    }

    /** Integers, booleans and double precision keep their type. */
    private static ElementType converted(TensorInfo info, ElementType type) {
        return type != null && info.type().isFloat() ? type : info.type();
    }

    private WritableFormat targetFormat() {
        if (format == null) {
            return files.outputFormat();
        }
        return switch (format) {
            case "safetensors" -> Safetensors.FORMAT;
            case "bin" -> TorchZip.FORMAT;
            default -> throw new RecipeException("Cannot use --format " + format + ": give safetensors or bin");
        };
    }

    private ElementType targetType() {
        if (dtype == null) {
            return null;
        }
        return switch (dtype) {
            case "fp32" -> ElementType.F32;
            case "fp16" -> ElementType.F16;
            case "bf16" -> ElementType.BF16;
            default -> throw new RecipeException("Cannot use --dtype " + dtype + ": give fp32, fp16 or bf16");
        };
    }
}
