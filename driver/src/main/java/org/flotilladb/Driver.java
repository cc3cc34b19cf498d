package org.flotilladb;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.logging.Logger;
import org.flotilladb.driver.Databases;
import org.flotilladb.driver.jdbc.Versions;

/** The JDBC driver; registers itself. */
public final class Driver implements java.sql.Driver {
    static {
        try {
            DriverManager.registerDriver(new Driver());
        } catch (SQLException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    public Connection connect(String url, Properties info) throws SQLException {
        return acceptsURL(url) ? Databases.connect(url, info) : null;
    }

    @Override
    public boolean acceptsURL(String url) throws SQLException {
        if (url == null) {
            throw new SQLException("The URL is null: write jdbc:flotilla:...", "08001", 90046);
        }
        return Databases.accepts(url);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
        return Databases.propertyInfo(url, info);
    }

    @Override
    public int getMajorVersion() {
        return Versions.MAJOR;
    }

    @Override
    public int getMinorVersion() {
        return Versions.MINOR;
    }

    @Override
    public boolean jdbcCompliant() {
        return false;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getLogger("org.flotilladb");
    }
}
