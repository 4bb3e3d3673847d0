package io.github.rarspark.kernel.weights;

import java.io.IOException;
import java.util.Arrays;

/**
 * The target of {@link FuzzingTest}: any bytes as a PyTorch file, of either format. An archive's pickle has a CRC that
 * mutations do not hit, so half of the inputs are put into an archive as its pickle.
 */
public final class FuzzTorch {
    static final byte FILE = 0;
    static final byte PICKLE = 1;

    private FuzzTorch() {}

    /** Called by the fuzzer; what it throws is a finding. */
    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        if (data.length > 0) {
            byte[] rest = Arrays.copyOfRange(data, 1, data.length);
            FuzzInput.read(WeightFormat::read, data[0] % 2 == PICKLE ? HostileZips.archive(rest) : rest);
        }
    }
}
