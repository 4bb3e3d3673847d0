package io.github.rarspark.fid;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What keeps a score from being compared with others; recorded with it. */
final class Warnings {
    /** How many samples published tables are of. */
    private static final long PUBLISHED_SAMPLES = 50_000;

    private Warnings() {}

    static List<String> of(
            FeatureNetwork network, Reference reference, SetFeatures samples, Optional<SetFeatures> images) {
        List<String> warnings = new ArrayList<>();
        if (network.kind() == FeatureNetwork.Kind.CLASSIFIER) {
            warnings.add(FidMetrics.DISTANCE + " is the Frechet distance on features of the " + network.name()
                    + "; it is not comparable with FID");
        } else {
            published(warnings, reference, samples, images);
        }
        if (samples.imagesOfClass().values().stream().distinct().count() > 1) {
            warnings.add("the samples' classes are unbalanced");
        }
        fullRank(warnings, network, "--samples", samples);
        if (reference.statistics().isEmpty()) {
            images.ifPresent(set -> fullRank(warnings, network, "--reference", set));
        }
        return warnings;
    }

    private static void published(
            List<String> warnings, Reference reference, SetFeatures samples, Optional<SetFeatures> images) {
        if (samples.images() != PUBLISHED_SAMPLES) {
            warnings.add("published figures use " + PUBLISHED_SAMPLES + " samples, these use " + samples.images()
                    + "; they are not comparable");
        }
        if (reference.statistics().isEmpty()) {
            warnings.add("published figures compare with statistics of the whole training set, these with"
                    + " statistics of the reference's " + images.orElseThrow().images() + " images");
        }
        if (images.isEmpty()) {
            warnings.add("precision, recall and KID need the images of the reference, which has only statistics");
        }
    }

    private static void fullRank(List<String> warnings, FeatureNetwork network, String what, SetFeatures set) {
        if (set.images() <= network.features()) {
            warnings.add("the covariance of " + set.images() + " images of " + what + " and " + network.features()
                    + " features does not have full rank; give more images");
        }
    }
}
