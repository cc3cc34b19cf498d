package org.flotilladb.sqltests.scripts;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** How one script went. Safe for one writer and one reader after it. */
public final class ScriptResult {

    /** A statement that did something else. */
    public record Mismatch(int line, String sql, String expected, String got) {}

    private final String name;
    private final int statements;
    private final BitSet passed = new BitSet();
    private final List<Mismatch> mismatches = new ArrayList<>();
    private String broken;

    public ScriptResult(Script script) {
        this.name = script.name();
        this.statements = (int)
                script.steps().stream().filter(Script.SqlStep.class::isInstance).count();
    }

    synchronized void note(int index, Mismatch mismatch) {
        if (mismatch == null) {
            passed.set(index);
        } else {
            mismatches.add(mismatch);
        }
    }

    /** Says why the script did not run to its end. */
    public synchronized void breakOff(String reason) {
        broken = reason;
    }

    public String name() {
        return name;
    }

    public int statements() {
        return statements;
    }

    public synchronized int passed() {
        return passed.cardinality();
    }

    /** How many statements passed both here and there. */
    public synchronized int passedLike(ScriptResult other) {
        BitSet both = (BitSet) passed.clone();
        both.and(other.passedSet());
        return both.cardinality();
    }

    private synchronized BitSet passedSet() {
        return (BitSet) passed.clone();
    }

    public synchronized List<Mismatch> mismatches() {
        return List.copyOf(mismatches);
    }

    /** Why it did not run to its end, or null. */
    public synchronized String broken() {
        return broken;
    }
}
