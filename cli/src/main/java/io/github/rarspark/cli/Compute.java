package io.github.rarspark.cli;

import ai.djl.Device;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.gpu.GpuCheck;
import io.github.rarspark.kernel.tensor.Precision;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses {@code --device} and {@code --precision} of the commands that compute on this machine. */
final class Compute {
    private static final Pattern DEVICE = Pattern.compile("cpu|gpu(:(\\d{1,4}))?");

    private Compute() {}

    /**
     * Parses a device: {@code cpu}, {@code gpu} for the first GPU, {@code gpu:N} for the one with index N.
     *
     * @throws RecipeException if it is none of these
     * @throws NativeLoadException if libtorch cannot compute on such a device on this machine
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
        Device device = Device.gpu(number);
        GpuCheck.check(device);
        return device;
    }

    /**
     * Parses a precision, {@code fp32} or {@code bf16}.
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
