/** How a job ends: exit codes and the exception that carries one. */
package io.github.rarspark.common;
