/** Pages of results: each is one HTML file that loads nothing. */
package io.github.rarspark.cli.html;
