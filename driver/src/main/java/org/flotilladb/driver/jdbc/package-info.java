/** JDBC's objects over the sessions of the SQL layer. Result sets are H2's own. */
package org.flotilladb.driver.jdbc;
