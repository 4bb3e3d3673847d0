/** Generated images on disk: the shards that {@code generate} writes, and the manifest that its readers trust. */
package io.github.rarspark.common.samples;
