/** The demo: the four jobs on embedded data, and what it shows of them. */
package io.github.rarspark.cli.demo;
