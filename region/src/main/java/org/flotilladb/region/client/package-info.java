/**
 * The client's side: where Regions are, timestamps, transactions. Nothing blocks: answers come as futures, completed on
 * the thread that brings them, or within the call.
 */
package org.flotilladb.region.client;
