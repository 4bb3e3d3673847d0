/**
 * Images as bytes: decoding, the crops that training uses, and the way to and from a model's floats. Everything here is
 * arithmetic on bytes and gives those of Pillow, whose results the published weights were trained on.
 */
package io.github.rarspark.kernel.image;
