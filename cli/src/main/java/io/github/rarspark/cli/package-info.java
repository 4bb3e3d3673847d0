/** The command line. */
package io.github.rarspark.cli;
