package org.flotilladb.driver;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds whoever opens nodes inside this process: by the driver's own class loader, then by the thread's. */
final class Providers {
    private Providers() {}

    static EmbeddedNodeProvider find() throws SQLException {
        List<ClassLoader> loaders = new ArrayList<>();
        loaders.add(Providers.class.getClassLoader());
        loaders.add(Thread.currentThread().getContextClassLoader());
        return find(loaders);
    }

    static EmbeddedNodeProvider find(List<ClassLoader> loaders) throws SQLException {
        for (ClassLoader loader : loaders) {
            try {
                for (EmbeddedNodeProvider provider : ServiceLoader.load(EmbeddedNodeProvider.class, loader)) {
                    return provider;
                }
            } catch (ServiceConfigurationError e) {
                throw new SQLException("The embedded node cannot be loaded: " + e.getMessage() + ".", "08001", e);
            }
        }
        throw new SQLException(
                "A database inside this process needs the node's classes: add org.flotilladb:flotilla-server to the"
                        + " class path.",
                "08001",
                90046);
    }
}
