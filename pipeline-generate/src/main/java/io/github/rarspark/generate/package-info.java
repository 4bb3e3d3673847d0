/** Class-conditional sampling, sharded over tasks. */
package io.github.rarspark.generate;
