/** What weight files hold: every model is asked whether the tensors look like its own. */
package io.github.rarspark.kernel.content;
