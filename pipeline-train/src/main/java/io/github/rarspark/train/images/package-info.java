/** Training of the small models of images: the jobs {@code train-tokenizer} and {@code train-classifier}. Driver only. */
package io.github.rarspark.train.images;
