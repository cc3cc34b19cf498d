package org.flotilladb.region.group;

/**
 * How groups of which nobody wants anything go to rest: they cost neither ticks nor messages until somebody wants
 * something. A leader at rest has no lease; the first request costs it a round.
 *
 * @param afterTicks in a row at which nothing was under way; 0 for never
 * @param checkTicks between two times that a leader at rest looks whether its followers rest with it; a follower at rest
 *     that has heard nothing for three times as long asks
 */
public record RestSettings(int afterTicks, int checkTicks) {
    /** No group rests. */
    public static final RestSettings NEVER = new RestSettings(0, 0);

    /** For production: after 3 s, looked after every two minutes. */
    public static final RestSettings DEFAULT = new RestSettings(30, 1200);

    public RestSettings {
        if (afterTicks < 0 || (afterTicks > 0 && checkTicks <= 0)) {
            throw new IllegalArgumentException("afterTicks must not be negative, and checkTicks must be above 0 where"
                    + " groups rest; they are " + afterTicks + " and " + checkTicks);
        }
    }

    /** Whether groups rest at all. */
    public boolean on() {
        return afterTicks > 0;
    }
}
