package io.github.rarspark.kernel.metrics;

import java.util.ArrayList;
import java.util.List;

/**
 * The Inception Score (Salimans et al., "Improved techniques for training GANs", 2016): the exponential of the mean
 * divergence between an image's class probabilities and those of its split.
 */
public final class InceptionScore {
    private InceptionScore() {}

    /**
     * The mean over consecutive splits in the order of the rows; a last, shorter split counts as the others do.
     *
     * @param logits row-major [rows, classes]
     * @param splitRows rows of a split
     */
    public static double of(double[] logits, int classes, int splitRows) {
        int rows = logits.length / classes;
        if (rows == 0 || splitRows < 1) {
            throw new IllegalArgumentException("Cannot score " + rows + " images in splits of " + splitRows);
        }
        List<Double> scores = new ArrayList<>();
        for (int start = 0; start < rows; start += splitRows) {
            scores.add(split(logits, classes, start, Math.min(rows, start + splitRows)));
        }
        return scores.stream().mapToDouble(Double::doubleValue).sum() / scores.size();
    }

    private static double split(double[] logits, int classes, int start, int end) {
        double[] marginal = new double[classes];
        double negativeEntropy = 0;
        double[] logProbabilities = new double[classes];
        for (int row = start; row < end; row++) {
            logSoftmax(logits, row * classes, logProbabilities);
            for (int c = 0; c < classes; c++) {
                double probability = Math.exp(logProbabilities[c]);
                marginal[c] += probability / (end - start);
                negativeEntropy += probability * logProbabilities[c] / (end - start);
            }
        }
        double marginalNegativeEntropy = 0;
        for (double probability : marginal) {
            // The limit of p log p is 0.
            marginalNegativeEntropy += probability == 0 ? 0 : probability * Math.log(probability);
        }
        return Math.exp(negativeEntropy - marginalNegativeEntropy);
    }

    private static void logSoftmax(double[] logits, int at, double[] result) {
        double max = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < result.length; c++) {
            max = Math.max(max, logits[at + c]);
        }
        double sum = 0;
        for (int c = 0; c < result.length; c++) {
            sum += Math.exp(logits[at + c] - max);
        }
        double logSum = max + Math.log(sum);
        for (int c = 0; c < result.length; c++) {
            result[c] = logits[at + c] - logSum;
        }
    }
}
