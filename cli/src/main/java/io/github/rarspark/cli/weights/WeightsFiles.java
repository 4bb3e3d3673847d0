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

/** The weight file that a command reads, and where it writes the one it makes of it. */
final class WeightsFiles {

    @Parameters(index = "0", paramLabel = "IN", description = "Weight file of any format; a file or URI.")
    private String input;

    @Parameters(index = "1", arity = "0..1", paramLabel = "OUT", description = "File or URI to write.")
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
     * @throws RecipeException if none is given, or two are
     */
    String output() {
        if ((place == null) == (option == null)) {
            throw new RecipeException(
                    "Cannot tell what to write: give " + (place == null ? "OUT" : "either OUT or --output") + " once");
        }
        return place == null ? option : place;
    }

    /**
     * Opens the file to read.
     *
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if something is where the other will be, and may not be
     *     replaced
     */
    TensorFile open(Storage storage) throws IOException {
        TensorFile file = WeightsInspect.open(storage, input);
        if (!overwrite && storage.exists(output())) {
            throw new JobException(
                    ExitCode.OUTPUT_EXISTS,
                    "Cannot write " + output() + ": it exists; give another name, or --overwrite");
        }
        return file;
    }

    /**
     * The format that the name of the file to write stands for.
     *
     * @throws RecipeException if it stands for none
     */
    WritableFormat outputFormat() {
        String name = output().toLowerCase(Locale.ROOT);
        if (name.endsWith(".safetensors")) {
            return Safetensors.FORMAT;
        } else if (name.endsWith(".bin") || name.endsWith(".pth") || name.endsWith(".pt")) {
            return TorchZip.FORMAT;
        }
        throw new RecipeException("Cannot tell the format of " + output()
                + " by its ending: give one that ends in .safetensors, .bin, .pth or .pt");
    }
}
