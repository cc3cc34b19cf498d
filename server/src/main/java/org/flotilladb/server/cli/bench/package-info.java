/**
 * The benchmark: small workloads over plain JDBC for any URL and driver, closed loop, latencies in HdrHistograms,
 * processor time of this process and of others from the operating system.
 */
package org.flotilladb.server.cli.bench;
