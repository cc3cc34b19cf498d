/** The SQL layer: sessions on unmodified H2 over an ordered key space. */
package org.flotilladb.engine;
