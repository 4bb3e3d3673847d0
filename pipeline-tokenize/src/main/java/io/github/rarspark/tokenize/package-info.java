/** Images to token Parquet. */
package io.github.rarspark.tokenize;
