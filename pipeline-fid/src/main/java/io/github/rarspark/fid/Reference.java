package io.github.rarspark.fid;

import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzFile;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.metrics.GaussianStatistics;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What samples are compared with: images, or statistics made of images earlier ({@code mu} and {@code sigma} of an npz
 * file in ADM's layout). Driver only.
 *
 * @param sha256 identifies the content
 * @param images the images; empty if there are only statistics
 * @param statistics mean and covariance, if the file has them
 */
record Reference(String sha256, Optional<ImageSet> images, Optional<GaussianStatistics> statistics) {
    private static final String MEAN = "mu";
    private static final String COVARIANCE = "sigma";

    /** The reference at {@code path}; throws what {@link ImageSet#open} throws. */
    static Reference open(Storage storage, String option, String path, FeatureNetwork network) throws IOException {
        PreFlight.requireInput(storage, option, path);
        if (ImageSet.isNpz(path)) {
            try (NpzFile file = NpzFile.open(storage, path)) {
                if (file.names().containsAll(List.of(MEAN, COVARIANCE))) {
                    return new Reference(
                            file.sha256(), Optional.empty(), Optional.of(statistics(file, path, network.width())));
                }
            }
        }
        ImageSet images = ImageSet.open(storage, option, path, network.side());
        return new Reference(images.sha256(), Optional.of(images), Optional.empty());
    }

    private static GaussianStatistics statistics(NpzFile file, String path, int width) throws IOException {
        NpyHeader mean = file.header(MEAN);
        NpyHeader covariance = file.header(COVARIANCE);
        long features = width;
        if (!mean.shape().equals(List.of(features)) || !covariance.shape().equals(List.of(features, features))) {
            throw new DataException("Cannot compare with " + path + ": " + MEAN + " has the shape " + mean.shape()
                    + " and " + COVARIANCE + " " + covariance.shape() + ", but the network gives " + width
                    + " features; give the statistics of the same network");
        }
        return new GaussianStatistics(file.doubles(MEAN), file.doubles(COVARIANCE));
    }
}
