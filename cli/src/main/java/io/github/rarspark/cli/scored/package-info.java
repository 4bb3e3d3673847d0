/** Sets of images that are generated and scored, by the jobs of other modules. */
package io.github.rarspark.cli.scored;
