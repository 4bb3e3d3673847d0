package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.job.JobContext;
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
 * What samples are compared with: images, statistics made of images earlier, or both, as in ADM's files: {@code mu} and
 * {@code sigma} of the features, {@code mu_s} and {@code sigma_s} of the spatial features, images in {@code arr_0}.
 * Driver only.
 *
 * @param sha256 identifies the content
 * @param images the images, if there are any
 * @param statistics mean and covariance of the features, if the file has them
 * @param spatialStatistics those of the spatial features, if the file has them
 */
record Reference(
        String sha256,
        Optional<ImageSource> images,
        Optional<GaussianStatistics> statistics,
        Optional<GaussianStatistics> spatialStatistics) {

    /** The reference at {@code path}; throws what {@link ComparedImages#open} throws. */
    static Reference open(JobContext context, String option, String path, FeatureNetwork network) throws IOException {
        Storage storage = context.storage();
        PreFlight.requireInput(storage, option, path);
        if (!NpzImages.isNpz(path)) {
            return ofImages(ComparedImages.open(context, option, path, network.side()));
        }
        try (NpzFile file = NpzFile.open(storage, path)) {
            Optional<GaussianStatistics> statistics = statistics(file, path, "mu", "sigma", network.features());
            Optional<GaussianStatistics> spatial = network.spatialFeatures() == 0
                    ? Optional.empty()
                    : statistics(file, path, "mu_s", "sigma_s", network.spatialFeatures());
            if (statistics.isPresent() && !file.names().contains(NpzImages.ARRAY)) {
                return new Reference(file.sha256(), Optional.empty(), statistics, spatial);
            }
            ImageSource images = NpzImages.of(file, storage.qualify(path), network.side());
            return new Reference(file.sha256(), Optional.of(images), statistics, spatial);
        }
    }

    private static Reference ofImages(ImageSource images) {
        return new Reference(images.sha256(), Optional.of(images), Optional.empty(), Optional.empty());
    }

    private static Optional<GaussianStatistics> statistics(
            NpzFile file, String path, String mean, String covariance, long width) throws IOException {
        if (!file.names().containsAll(List.of(mean, covariance))) {
            return Optional.empty();
        }
        NpyHeader meanHeader = file.header(mean);
        NpyHeader covarianceHeader = file.header(covariance);
        if (!meanHeader.shape().equals(List.of(width))
                || !covarianceHeader.shape().equals(List.of(width, width))) {
            throw new DataException("Cannot compare with " + path + ": " + mean + " has the shape " + meanHeader.shape()
                    + " and " + covariance + " " + covarianceHeader.shape() + ", but the network gives " + width
                    + " features; give the statistics of the same network");
        }
        return Optional.of(new GaussianStatistics(file.doubles(mean), file.doubles(covariance)));
    }
}
