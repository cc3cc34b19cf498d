package org.flotilladb.engine.internal;

import org.h2.value.Value;

/** Small questions about H2's types. */
final class DataTypes {
    private DataTypes() {}

    static boolean isLob(int valueType) {
        return valueType == Value.BLOB || valueType == Value.CLOB;
    }
}
