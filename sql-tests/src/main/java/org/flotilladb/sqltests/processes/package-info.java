/** Processes that tests start, talk to, kill and start again. */
package org.flotilladb.sqltests.processes;
