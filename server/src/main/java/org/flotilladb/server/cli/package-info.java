/**
 * The command line: {@link org.flotilladb.server.cli.Main} and its subcommands. Everything here but {@code server} talks
 * plain JDBC, so the shell and the benchmark work with any URL and any driver.
 *
 * <p>Rules: rows go to standard output and everything else to standard error, both in UTF-8; a failure is one sentence
 * and a non-zero exit code, with a stack trace only under {@code --verbose}. Exit codes: 0 done, 1 failed, 2 the command
 * line itself is wrong.
 */
package org.flotilladb.server.cli;
