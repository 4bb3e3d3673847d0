/** Where images come from: class folders and Parquet of image bytes, listed and read inside the tasks. */
package io.github.rarspark.common.images;
