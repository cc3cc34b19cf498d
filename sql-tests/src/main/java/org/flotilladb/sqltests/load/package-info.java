/** A load whose result can be checked to the last transaction, whatever is killed meanwhile. */
package org.flotilladb.sqltests.load;
