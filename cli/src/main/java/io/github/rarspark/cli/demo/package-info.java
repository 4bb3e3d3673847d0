/** The demo: the four jobs on embedded data, and a report of their results. */
package io.github.rarspark.cli.demo;
