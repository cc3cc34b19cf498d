package org.flotilladb.engine.internal;

/** Which definition of H2 is being executed by this thread; H2 does not tell in any other way. */
final class DefinitionStack {
    private static final String DEFINITIONS = "org.h2.command.ddl.";
    private static final String DOMAINS = DEFINITIONS + "AlterDomain";
    private static final String TRUNCATE = DEFINITIONS + "TruncateTable";
    private static final String SEQUENCES = DEFINITIONS + "AlterSequence";
    private static final String SEQUENCE = "org.h2.schema.Sequence";
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

    /** One that looks at the rows of every table with a column of a domain. */
    static boolean changesDomain() {
        return finds(DOMAINS);
    }
}
