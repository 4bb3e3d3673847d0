/** The {@code weights} commands: look at weight files and make others of them. */
package io.github.rarspark.cli.weights;
