/** What the four jobs share: session, storage and commit, progress, results, exit codes. */
package io.github.rarspark.common;
