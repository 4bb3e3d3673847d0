package io.github.rarspark.fid;

import java.util.List;

/** The names of the metrics of {@code fid}, as in {@code result.json}. */
public final class FidMetrics {
    /** The Frechet distance on Inception's features. */
    public static final String FID = "fid";

    /** The Frechet distance on Inception's spatial features. */
    public static final String SFID = "sfid";

    /** The Inception Score. */
    public static final String INCEPTION_SCORE = "inception_score";

    /** The fraction of samples that lie within the reference's manifold. */
    public static final String PRECISION = "precision";

    /** The fraction of the reference that lies within the samples' manifold. */
    public static final String RECALL = "recall";

    /** The kernel distance, mean over subsets. */
    public static final String KID = "kid";

    /** The deviation of the kernel distance over subsets. */
    public static final String KID_DEVIATION = "kid_deviation";

    /** The FID between halves of the reference. */
    public static final String FID_FLOOR = "fid_floor";

    /** The distance on a classifier's features; it is not comparable with FID. */
    public static final String DISTANCE = "fd";

    /** The distance between halves of the reference, on a classifier's features. */
    public static final String FLOOR = "fd_floor";

    /** The fraction of samples that the network assigns to the class they were generated for. */
    public static final String AGREEMENT = "class_agreement";

    /** The metrics of samples of which lower is better. */
    public static final List<String> LOWER_IS_BETTER = List.of(FID, SFID, KID, DISTANCE);

    /** The metrics of samples that a better model has more of. */
    public static final List<String> HIGHER_IS_BETTER = List.of(INCEPTION_SCORE, PRECISION, RECALL, AGREEMENT);

    private FidMetrics() {}
}
