/** What the jobs share of Spark: the session, units of work as tasks, progress, events. */
package io.github.rarspark.common.spark;
