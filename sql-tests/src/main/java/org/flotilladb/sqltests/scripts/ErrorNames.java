package org.flotilladb.sqltests.scripts;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import org.h2.api.ErrorCode;

/** The names of H2's error codes, as scripts use them. */
final class ErrorNames {

    private static final Map<String, Integer> CODES = new HashMap<>();
    private static final Map<Integer, String> NAMES = new HashMap<>();

    static {
        for (Field field : ErrorCode.class.getFields()) {
            if (field.getType() == int.class && Modifier.isStatic(field.getModifiers())) {
                try {
                    CODES.put(field.getName(), field.getInt(null));
                    NAMES.put(field.getInt(null), field.getName());
                } catch (IllegalAccessException e) {
                    throw new ExceptionInInitializerError(e);
                }
            }
        }
    }

    private ErrorNames() {}

    static int codeOf(String name) {
        Integer code = CODES.get(name);
        if (code == null) {
            throw new IllegalArgumentException("H2 has no error called " + name);
        }
        return code;
    }

    static String nameOf(int code) {
        return NAMES.getOrDefault(code, Integer.toString(code));
    }
}
