package io.github.rarspark.cli.weights;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.WritableFormat;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.kernel.weights.torch.TorchZip;
import java.io.IOException;
import java.util.Locale;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The weight file that a command reads, and the one it writes. */
final class WeightsFiles {

    @Parameters(index = "0", paramLabel = "IN", description = "File or URI of a weight file in any format.")
    private String input;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "OUT",
            description = "File or URI of the weight file to write.")
    private String place;

    @Option(
            names = {"--output", "--out"},
            paramLabel = "OUT",
            order = 8,
            description = "The same as OUT.")
    private String option;

    @Option(names = "--overwrite", order = 9, description = "Replace OUT if it exists.")
    private boolean overwrite;

    /** The file or URI to read. */
    String input() {
        return input;
    }

    /**
     * The file or URI to write.
     *
     * @throws RecipeException if none or two are given
     */
    String output() {
        if ((place == null) == (option == null)) {
            throw new RecipeException("Cannot determine the output: give "
                    + (place == null ? "OUT" : "either OUT or --output") + " once");
        }
        return place == null ? option : place;
    }

    /**
     * Opens the file to read.
     *
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if the output exists and may not be overwritten
     */
    TensorFile open(Storage storage) throws IOException {
        TensorFile file = WeightsInspect.open(storage, input);
        if (!overwrite && storage.exists(output())) {
            throw new JobException(
                    ExitCode.OUTPUT_EXISTS,
                    "Cannot write " + output() + ": it exists; give another name or --overwrite");
        }
        return file;
    }

    /**
     * The format given by the extension of the file to write.
     *
     * @throws RecipeException if the extension is unknown
     */
    WritableFormat outputFormat() {
        String name = output().toLowerCase(Locale.ROOT);
        if (name.endsWith(".safetensors")) {
            return Safetensors.FORMAT;
        } else if (name.endsWith(".bin") || name.endsWith(".pth") || name.endsWith(".pt")) {
            return TorchZip.FORMAT;
        }
        throw new RecipeException("Cannot determine the format of " + output()
                + " from its extension: use .safetensors, .bin, .pth or .pt");
    }
}
