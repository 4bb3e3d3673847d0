package io.github.rarspark.train.images;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.spark.Progress;
import java.util.Map;

/**
 * What a small model is trained with.
 *
 * @param provenance what the weight file says about how it came to be
 * @param data the images
 * @param manager owner of the tensors, closed after the training
 * @param progress is told of each step
 */
record TrainingRun(Map<String, String> provenance, LabelledImages data, NDManager manager, Progress progress) {}
