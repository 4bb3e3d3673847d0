package io.github.rarspark.kernel.weights.safetensors;

import io.github.rarspark.kernel.weights.FuzzInput;
import io.github.rarspark.kernel.weights.HostileFile;
import java.io.IOException;

/** The target of {@link FuzzingTest}: any bytes as a safetensors file. */
public final class FuzzSafetensors {
    private FuzzSafetensors() {}

    /** Called by the fuzzer; what it throws is a finding. */
    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        FuzzInput.read(HostileFile.Reader.of(Safetensors.FORMAT), data);
    }
}
