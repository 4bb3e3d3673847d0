/**
 * Images as bytes: decoding, the crops used in training, and conversion to and from a model's floats. Everything here
 * is byte arithmetic with results identical to Pillow's, on which the published weights were trained.
 */
package io.github.rarspark.kernel.image;
