/** The driver: URLs, DataSources, and the databases that are open in this process. */
package org.flotilladb.driver;
