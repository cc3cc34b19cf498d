package org.flotilladb.driver.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.SQLException;

/** Interfaces with many methods and little use, handed on by reflection. */
final class Delegation {
    private Delegation() {}

    /** What to do for one call. */
    @FunctionalInterface
    interface Call {
        Object on(Method method, Object[] arguments) throws SQLException;
    }

    static InvocationHandler handler(Object target, Call call) {
        return (proxy, method, arguments) -> {
            if (method.getDeclaringClass() == Object.class) {
                return switch (method.getName()) {
                    case "equals" -> proxy == arguments[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    default -> target.toString();
                };
            }
            return call.on(method, arguments);
        };
    }

    static Object invoke(Object target, Method method, Object[] arguments) throws SQLException {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof SQLException cause) {
                throw cause;
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new SQLException(String.valueOf(e.getCause()), "HY000", e.getCause());
        } catch (IllegalAccessException e) {
            throw new SQLException("Cannot call " + method.getName() + ": " + e.getMessage(), "HY000", e);
        }
    }
}
