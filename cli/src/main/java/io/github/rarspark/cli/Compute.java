package io.github.rarspark.cli;

import ai.djl.Device;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the commands that measure and compare on this machine understand by {@code --device} and {@code --precision}. */
final class Compute {
    private static final Pattern DEVICE = Pattern.compile("cpu|gpu(:(\\d{1,4}))?");

    private Compute() {}

    /**
     * The device of a name: {@code cpu}, {@code gpu} for the first GPU, {@code gpu:N} for the one of number N.
     *
     * @throws RecipeException if it is no such name
     * @throws JobException with {@link ExitCode#UNAVAILABLE} if libtorch has no such device here
     */
    static Device device(String name) {
        Matcher matcher = DEVICE.matcher(name);
        if (!matcher.matches()) {
            throw new RecipeException("Cannot use --device " + name + ": give cpu, gpu or gpu:N");
        }
        if (name.equals("cpu")) {
            return Device.cpu();
        }
        int number = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
        int gpus = Torch.gpus();
        if (number >= gpus) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot use --device " + name + ": libtorch finds " + gpus + " GPUs here; use --device cpu, or "
                            + "give the JVM a libtorch that is built for the GPU and its driver");
        }
        return Device.gpu(number);
    }

    /**
     * The precision of a name, {@code fp32} or {@code bf16}.
     *
     * @throws RecipeException if it is neither
     */
    static Precision precision(String name) {
        return Arrays.stream(Precision.values())
                .filter(precision -> precision.label().equals(name))
                .findFirst()
                .orElseThrow(() -> new RecipeException("Cannot use --precision " + name + ": give fp32 or bf16"));
    }
}
