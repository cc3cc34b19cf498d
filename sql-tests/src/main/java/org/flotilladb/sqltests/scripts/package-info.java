/** H2's script format: reading a file, running its steps over JDBC, comparing, counting. */
package org.flotilladb.sqltests.scripts;
