/**
 * What applications use by name: the {@link org.flotilladb.Driver}, found by {@code DriverManager}, and the {@link
 * org.flotilladb.FlotillaDataSource}. Everything else is reached through JDBC.
 */
package org.flotilladb;
