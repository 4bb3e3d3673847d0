/**
 * Recipes (YAML) and the typed records that they are read into. Knows neither Spark nor tensors.
 *
 * <p>{@link io.github.rarspark.conf.Recipe} layers command line, Spark configuration, recipe and defaults; {@link
 * io.github.rarspark.conf.Recipes} reads recipes. Each key is declared once, as a component of a record and a row of
 * the table above it.
 */
package io.github.rarspark.conf;
