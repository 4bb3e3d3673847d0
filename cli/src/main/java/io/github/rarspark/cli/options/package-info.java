/** Options that several commands share. */
package io.github.rarspark.cli.options;
