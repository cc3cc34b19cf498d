package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.h2.engine.DbObject;
import org.h2.engine.SessionLocal;
import org.h2.expression.Expression;
import org.h2.expression.ExpressionVisitor;
import org.h2.result.Row;
import org.h2.schema.Sequence;
import org.h2.table.Column;
import org.h2.value.Value;
import org.h2.value.ValueNull;

/** The sequences that a table's columns ask for values when a row is written. Safe for many threads. */
final class ColumnSequences {
    private static final Turns NONE = new Turns(null, null);

    /** What was found of the columns at a version of the catalog. Immutable. */
    private record Found(long version, Column[] columns, Sequence[] identities, List<List<Sequence>> defaults) {}

    private final RegionTable table;
    private volatile Found found;

    ColumnSequences(RegionTable table) {
        this.table = table;
    }

    /** The turns at a row's sequences. */
    record Turns(SequenceBlocks.Turn defaults, SequenceBlocks.Turn identities) implements AutoCloseable {
        @Override
        public void close() {
            if (identities != null) {
                identities.close();
            }
            if (defaults != null) {
                defaults.close();
            }
        }
    }

    /** Takes the turn at the sequences that a row will ask. */
    Turns turns(SessionLocal session, Row row) {
        Found columns = found();
        if (columns.identities == null || table.mirror.sequences() == null) {
            return NONE;
        }
        List<Sequence> identities = null;
        List<Sequence> defaults = null;
        boolean pushes = session.getMode().updateSequenceOnManualIdentityInsertion;
        for (int i = 0; i < columns.identities.length; i++) {
            Value given = row.getValue(i);
            boolean asks = given == null || given == ValueNull.INSTANCE;
            Sequence identity = columns.identities[i];
            if (identity != null && (asks || pushes) && !identity.isTemporary()) {
                identities = identities == null ? new ArrayList<>(1) : identities;
                identities.add(identity);
            }
            List<Sequence> named = columns.defaults.get(i);
            if (!named.isEmpty()) {
                defaults = defaults == null ? new ArrayList<>(1) : defaults;
                defaults.addAll(named);
            }
        }
        if (identities == null && defaults == null) {
            return NONE;
        }
        SequenceBlocks blocks = table.mirror.sequences();
        SequenceBlocks.Turn atDefaults = defaults == null ? null : blocks.turn(session, defaults, false);
        boolean done = false;
        try {
            Turns turns = new Turns(atDefaults, identities == null ? null : blocks.turn(session, identities, true));
            done = true;
            return turns;
        } finally {
            if (!done && atDefaults != null) {
                atDefaults.close();
            }
        }
    }

    private Found found() {
        Found known = found;
        Column[] columns = table.getColumns();
        if (known != null && known.version == table.mirror.version() && known.columns == columns) {
            return known;
        }
        Sequence[] identities = new Sequence[columns.length];
        List<List<Sequence>> defaults = new ArrayList<>(columns.length);
        boolean any = false;
        for (int i = 0; i < columns.length; i++) {
            identities[i] = columns[i].getSequence();
            HashSet<DbObject> named = new HashSet<>();
            collect(columns[i].getEffectiveDefaultExpression(), named);
            collect(columns[i].getEffectiveOnUpdateExpression(), named);
            List<Sequence> sequences = new ArrayList<>(0);
            for (DbObject object : named) {
                if (object instanceof Sequence sequence && !sequence.isTemporary()) {
                    sequences.add(sequence);
                }
            }
            defaults.add(sequences);
            any |= identities[i] != null || !sequences.isEmpty();
        }
        Found now = new Found(table.mirror.version(), columns, any ? identities : null, defaults);
        found = now;
        return now;
    }

    private static void collect(Expression expression, HashSet<DbObject> objects) {
        if (expression != null) {
            expression.isEverything(ExpressionVisitor.getDependenciesVisitor(objects));
        }
    }
}
