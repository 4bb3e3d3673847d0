/** A small image classifier whose penultimate features define a distance between sets of images. */
package io.github.rarspark.kernel.classifier;
