package org.flotilladb.engine.internal;

import java.util.Set;

/** Which definition of H2 is being executed by this thread; H2 does not tell in any other way. */
final class DefinitionStack {
    private static final String DEFINITIONS = "org.h2.command.ddl.";
    private static final String DOMAINS = DEFINITIONS + "AlterDomain";
    private static final String MATERIALIZED_VIEW = DEFINITIONS + "CreateMaterializedView";
    private static final String TRUNCATE = DEFINITIONS + "TruncateTable";
    private static final String SEQUENCES = DEFINITIONS + "AlterSequence";
    private static final String SEQUENCE = "org.h2.schema.Sequence";
    private static final String CONSTRAINTS = "org.h2.constraint.";
    private static final Set<String> INSERTING = Set.of("org.h2.command.dml.Insert", "org.h2.command.dml.MergeUsing");
    private static final Set<String> DATA_CHANGE = Set.of(
            "org.h2.command.dml.Insert",
            "org.h2.command.dml.MergeUsing",
            "org.h2.command.dml.Merge",
            "org.h2.command.dml.Update",
            "org.h2.command.dml.Delete");
    private static final StackWalker STACK = StackWalker.getInstance();

    private DefinitionStack() {}

    /** One that may let a sequence begin anew. */
    static boolean restartsSequences() {
        return finds(SEQUENCES) || finds(TRUNCATE);
    }

    /** A sequence is giving a value. */
    static boolean givesValue() {
        return STACK.walk(frames -> frames.anyMatch(frame ->
                frame.getClassName().equals(SEQUENCE) && frame.getMethodName().equals("getNext")));
    }

    /**
     * A query is being read whose rows the statement around it inserts as it goes on (INSERT, MERGE USING): not the check of
     * a constraint, nor an UPDATE or DELETE, which read before they write and are what cascades and MERGE KEY run.
     */
    static boolean readsWhileItInserts() {
        return STACK.walk(frames -> frames.map(StackWalker.StackFrame::getClassName)
                .filter(name -> name.startsWith(CONSTRAINTS) || DATA_CHANGE.contains(name))
                .findFirst()
                .filter(INSERTING::contains)
                .isPresent());
    }

    private static boolean finds(String prefix) {
        return STACK.walk(
                frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(prefix)));
    }

    /** Any definition, TRUNCATE too. */
    static boolean inside() {
        return finds(DEFINITIONS);
    }

    /** One after which rows must be written in another way. */
    static boolean changesDefinition() {
        return inside() && !finds(TRUNCATE);
    }

    /** The table that is being made holds the rows of a materialized view. */
    static boolean createsMaterializedView() {
        return finds(MATERIALIZED_VIEW);
    }

    /** One that looks at the rows of every table with a column of a domain. */
    static boolean changesDomain() {
        return finds(DOMAINS);
    }
}
