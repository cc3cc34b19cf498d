/** Versions of keys and locks on them: pure functions from a state of the store to answers and writes. */
package org.flotilladb.region.store.mvcc;
