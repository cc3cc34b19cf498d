package org.flotilladb.engine.internal;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.WeakHashMap;
import org.h2.engine.SessionLocal;
import org.h2.schema.Sequence;
import org.h2.value.Value;

/**
 * What CURRVAL says in a session: H2 keeps it by its objects of the sequences, which are others in every mirror, and lets
 * nobody set it without taking a value. So the field is written to; a test fails if it changes.
 */
final class CurrentValues {
    private static final Field FIELD = field();

    private CurrentValues() {}

    private static Field field() {
        try {
            Field field = SessionLocal.class.getDeclaredField("currentValueFor");
            field.setAccessible(true);
            return field;
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IllegalStateException("this is not the H2 that Flotilla was built for", e);
        }
    }

    /** A session goes on in another mirror: its sequences' present values go with it. */
    @SuppressWarnings("unchecked")
    static void copy(SessionLocal from, SessionLocal to) {
        try {
            Map<Sequence, Value> old = (Map<Sequence, Value>) FIELD.get(from);
            if (old == null || old.isEmpty()) {
                return;
            }
            WeakHashMap<Sequence, Value> copied = new WeakHashMap<>();
            old.forEach((sequence, value) -> {
                Sequence same = Mirror.of(to).sequences().byId(sequence.getId());
                if (same != null && same.getName().equals(sequence.getName())) {
                    copied.put(same, value);
                }
            });
            FIELD.set(to, copied);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
