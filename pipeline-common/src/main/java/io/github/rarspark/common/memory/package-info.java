/** How much memory the processes of a job need. */
package io.github.rarspark.common.memory;
