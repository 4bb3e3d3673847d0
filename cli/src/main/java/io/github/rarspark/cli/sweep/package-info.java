/** {@code generate --sweep}: a set of images for each value of some settings, scored and compared. */
package io.github.rarspark.cli.sweep;
