/** Fixtures for tests of this and of later modules: an S3 server, an HDFS, a Spark with executors as processes. */
package io.github.rarspark.common.testing;
