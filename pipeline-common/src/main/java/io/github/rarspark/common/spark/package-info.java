/** What the jobs share of Spark: the session, threads of a task, progress, events, weights held by an executor. */
package io.github.rarspark.common.spark;
