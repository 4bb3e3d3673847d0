/** The {@code weights} commands: inspect and convert weight files. */
package io.github.rarspark.cli.weights;
