package org.flotilladb.region.placement.engine;

import java.util.List;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** Looks at one Region on which no operator runs. */
@FunctionalInterface
interface Check {
    /** What is to be done about it. */
    record Plan(Kind kind, String reason, List<Step> steps) {}

    /** Null when there is nothing to do, or nothing that can be done now. */
    Plan look(RegionView region);
}
