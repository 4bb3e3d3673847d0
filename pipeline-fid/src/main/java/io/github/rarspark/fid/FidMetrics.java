package io.github.rarspark.fid;

/** The names of what {@code fid} measures, as in {@code result.json}. */
public final class FidMetrics {
    /** The Frechet distance on Inception's features. */
    public static final String FID = "fid";

    /** The Frechet distance on Inception's spatial features. */
    public static final String SFID = "sfid";

    /** The Inception Score. */
    public static final String INCEPTION_SCORE = "inception_score";

    /** The share of samples like some image of the reference. */
    public static final String PRECISION = "precision";

    /** The share of the reference like some sample. */
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

    /** The share of samples that the network gives the class they were made for. */
    public static final String AGREEMENT = "class_agreement";

    private FidMetrics() {}
}
