/** Logs and data on RocksDB, and the directory they stand in. The only package that needs rocksdbjni. */
package org.flotilladb.region.store.rocks;
