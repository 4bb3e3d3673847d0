package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;

/** Creates the error for a malformed PyTorch file. */
final class TorchError {
    private TorchError() {}

    static DataException malformed(String file, String why) {
        return new DataException("Cannot read " + file + " as a PyTorch file: " + why);
    }

    static DataException malformed(String file, String why, Throwable cause) {
        return new DataException("Cannot read " + file + " as a PyTorch file: " + why, cause);
    }
}
