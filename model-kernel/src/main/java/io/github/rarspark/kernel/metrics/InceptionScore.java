package io.github.rarspark.kernel.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The Inception Score (Salimans et al., "Improved techniques for training GANs", 2016): the exponential of the mean
 * divergence between an image's class probabilities and those of its split. Images must be added in order, because
 * splits are consecutive. Not thread-safe.
 */
public final class InceptionScore {
    private final int classes;
    private final int splitRows;
    private final List<Double> scores = new ArrayList<>();
    private final double[] probabilitySums;
    private final double[] logProbabilities;
    private double negativeEntropySum;
    private int rows;

    /**
     * Creates a score without images.
     *
     * @param splitRows images per split
     */
    public InceptionScore(int classes, int splitRows) {
        if (classes < 1 || splitRows < 1) {
            throw new IllegalArgumentException(
                    "Cannot score images of " + classes + " classes in splits of " + splitRows);
        }
        this.classes = classes;
        this.splitRows = splitRows;
        this.probabilitySums = new double[classes];
        this.logProbabilities = new double[classes];
    }

    /** Adds the next image; its logits begin at {@code logits[at]}. */
    public void add(double[] logits, int at) {
        logSoftmax(logits, at);
        for (int c = 0; c < classes; c++) {
            double probability = Math.exp(logProbabilities[c]);
            probabilitySums[c] += probability;
            negativeEntropySum += probability * logProbabilities[c];
        }
        rows++;
        if (rows == splitRows) {
            scores.add(splitScore());
            Arrays.fill(probabilitySums, 0);
            negativeEntropySum = 0;
            rows = 0;
        }
    }

    /**
     * The mean over the splits; a last, shorter one counts as the others do.
     *
     * @throws IllegalStateException if no image was added
     */
    public double mean() {
        double sum = scores.stream().mapToDouble(Double::doubleValue).sum();
        if (rows > 0) {
            return (sum + splitScore()) / (scores.size() + 1);
        }
        if (scores.isEmpty()) {
            throw new IllegalStateException("Cannot compute an Inception Score of 0 images");
        }
        return sum / scores.size();
    }

    private double splitScore() {
        double marginalNegativeEntropy = 0;
        for (double sum : probabilitySums) {
            double probability = sum / rows;
            // The limit of p log p is 0.
            marginalNegativeEntropy += probability == 0 ? 0 : probability * Math.log(probability);
        }
        return Math.exp(negativeEntropySum / rows - marginalNegativeEntropy);
    }

    private void logSoftmax(double[] logits, int at) {
        double max = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < classes; c++) {
            max = Math.max(max, logits[at + c]);
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            sum += Math.exp(logits[at + c] - max);
        }
        double logSum = max + Math.log(sum);
        for (int c = 0; c < classes; c++) {
            logProbabilities[c] = logits[at + c] - logSum;
        }
    }
}
