/** Files of every kind the jobs read and write, on any Hadoop file system; objects appear whole or not at all. */
package io.github.rarspark.common.storage;
