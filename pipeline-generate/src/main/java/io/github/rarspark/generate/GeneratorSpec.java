package io.github.rarspark.generate;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.kernel.rar.RarConfig;
import java.io.Serializable;

/**
 * Models and settings that generate the images; sent to the tasks.
 *
 * @param model architecture of the RAR model
 * @param settings settings of sampling
 * @param weights of the RAR model
 * @param tokenizer weights of the tokenizer
 * @param device what the tasks compute on
 */
record GeneratorSpec(
        ModelSettings model, GenerateSettings settings, WeightFile weights, WeightFile tokenizer, JobDevice device)
        implements Serializable {

    RarConfig config() {
        return KernelSettings.rar(model);
    }
}
