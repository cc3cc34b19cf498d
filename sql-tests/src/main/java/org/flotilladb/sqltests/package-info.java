/**
 * Suites over JDBC. The main code holds what is run by hand as well: the runner of H2's scripts, the TPC-B-like load
 * that keeps what was acknowledged, and processes of a cluster that are started, killed and started again.
 */
package org.flotilladb.sqltests;
