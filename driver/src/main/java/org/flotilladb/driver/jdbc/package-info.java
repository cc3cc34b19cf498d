/**
 * JDBC's objects over the sessions of the SQL layer. {@link org.flotilladb.driver.jdbc.Running} decides when something
 * runs on a connection and ends it from outside; {@link org.flotilladb.driver.jdbc.SqlErrors} says what its errors are
 * called; a statement is made again on another of H2's connections when the session has moved to a newer catalog. Result
 * sets are H2's own.
 */
package org.flotilladb.driver.jdbc;
