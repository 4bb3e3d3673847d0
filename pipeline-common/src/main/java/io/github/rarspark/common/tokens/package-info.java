/** Token data: the format that tokenization writes and training reads, as Parquet shards or lines of JSON. */
package io.github.rarspark.common.tokens;
