/**
 * Recipes (YAML) and the typed records they become. Knows neither Spark nor tensors.
 *
 * <p>{@link io.github.rarspark.conf.Recipes} layers command line, Spark configuration, recipe and defaults into a
 * {@link io.github.rarspark.conf.Recipe}. Each key is declared once, by the annotation on a record component; the table
 * of {@link io.github.rarspark.conf.Keys} is read off these records.
 */
package io.github.rarspark.conf;
