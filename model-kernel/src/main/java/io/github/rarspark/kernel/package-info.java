/** Models and their arithmetic on libtorch. Knows neither Spark nor recipes. */
package io.github.rarspark.kernel;
