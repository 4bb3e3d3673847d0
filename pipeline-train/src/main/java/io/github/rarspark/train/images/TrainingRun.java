package io.github.rarspark.train.images;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.Progress;
import java.util.Map;

/**
 * What a small model is trained with.
 *
 * @param provenance what the weight file says about how it came to be
 * @param data the images
 * @param manager owner of the tensors, closed after the training
 * @param claim of the output; training ends when it is lost
 * @param progress is told of each step
 */
record TrainingRun(
        Map<String, String> provenance, LabelledImages data, NDManager manager, OutputClaim claim, Progress progress) {
    /**
     * Records that a step is done.
     *
     * @param note the present state, such as the loss
     * @throws io.github.rarspark.common.JobException if another attempt has taken over the output, or the job was interrupted
     */
    void step(String note) {
        claim.endIfStopped();
        progress.note(note);
        progress.step(1);
    }
}
