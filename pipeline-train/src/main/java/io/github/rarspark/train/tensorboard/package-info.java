/** TensorBoard's event files: TFRecords of the few protobuf messages that a training needs, without TensorFlow. */
package io.github.rarspark.train.tensorboard;
