/**
 * What the Placement Driver decides, as plain functions of what Stores and Regions have reported: no I/O, no clock, no
 * random numbers. {@link org.flotilladb.region.placement.engine.PlacementEngine} is the door: reports and the passing of
 * time go in, commands to leaders of Regions come out.
 *
 * <p>A decision is an {@link org.flotilladb.region.placement.engine.Operator}: a few steps on one Region, each seen to be
 * done in that Region's reports and asked for again until it is. A command carries the epoch that it was decided for, so
 * one that comes late or twice does nothing. Nothing here needs to survive: a new leader of the Placement Driver knows
 * the Stores from the log, hears from them and from all Regions within a second or so, and decides again.
 *
 * <p>Checks look at one Region ({@code ReplicaCheck}, {@code LeaderCheck}, {@code SpreadCheck}, {@code SplitCheck}, in
 * this order) or at all Stores ({@code LeaderBalance}, {@code RegionBalance}, {@code LoadBalance}). Each balance moves
 * something only when the order of the two Stores is the same afterwards, counting what is already under way; so the sum
 * of squares falls with every move, and there is an end.
 */
package org.flotilladb.region.placement.engine;
