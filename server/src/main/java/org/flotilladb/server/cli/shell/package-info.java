/** The shell: splitting a script into statements, running them over JDBC, printing what comes back. */
package org.flotilladb.server.cli.shell;
