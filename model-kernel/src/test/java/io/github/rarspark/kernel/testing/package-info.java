/** What tests and measuring programs of all modules share. */
package io.github.rarspark.kernel.testing;
