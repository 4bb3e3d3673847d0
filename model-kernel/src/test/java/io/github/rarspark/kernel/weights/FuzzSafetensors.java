package io.github.rarspark.kernel.weights;

import java.io.IOException;

/** The target of {@link FuzzingTest}: any bytes as a safetensors file. */
public final class FuzzSafetensors {
    private FuzzSafetensors() {}

    /** Called by the fuzzer; what it throws is a finding. */
    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        FuzzInput.read(Safetensors::read, data);
    }
}
