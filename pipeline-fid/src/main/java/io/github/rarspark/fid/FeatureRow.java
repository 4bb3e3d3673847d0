package io.github.rarspark.fid;

/**
 * A network's outputs for one image.
 *
 * @param index of the image in its set
 * @param classId the image's class, -1 if unknown
 * @param features the last hidden layer
 * @param spatial features of a map of the network; empty if it has none
 * @param logits class scores
 */
record FeatureRow(long index, int classId, float[] features, float[] spatial, float[] logits) {
    /** The predicted class: the first with the highest score. */
    int predictedClass() {
        int best = 0;
        for (int c = 1; c < logits.length; c++) {
            best = logits[c] > logits[best] ? c : best;
        }
        return best;
    }
}
