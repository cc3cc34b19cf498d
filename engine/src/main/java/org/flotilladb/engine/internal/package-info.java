/**
 * H2 over the key space. {@link org.flotilladb.engine.internal.FlotillaSession} is a user's session; it runs on a session
 * of H2 in a {@link org.flotilladb.engine.internal.Mirror}, an in-memory database that H2 has built from the catalog's
 * rows in the key space, and moves to a newer mirror between transactions when the catalog has changed. H2's tables are
 * {@link org.flotilladb.engine.internal.RegionTable}s: each read and write goes to the transaction on the key space that
 * {@link org.flotilladb.engine.internal.SessionState} keeps in step with H2's own. {@link
 * org.flotilladb.engine.internal.Definition} keeps changes of the catalog and writers apart. DESIGN.md of this module says
 * why it is done so, and what of H2 it relies on.
 */
package org.flotilladb.engine.internal;
