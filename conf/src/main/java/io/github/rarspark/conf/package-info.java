/** Recipes and the typed records they become. Knows neither Spark nor tensors. */
package io.github.rarspark.conf;
