/** The sample data of {@code demo}: a small shop, made by our own code from a seed. */
package org.flotilladb.server.cli.demo;
