package org.flotilladb;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.logging.Logger;
import org.flotilladb.driver.Databases;
import org.flotilladb.driver.JdbcUrl;
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
        return url.startsWith(JdbcUrl.PREFIX);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
        DriverPropertyInfo user = new DriverPropertyInfo("user", null);
        user.description = "The database user; the first one of a new database becomes its administrator";
        DriverPropertyInfo password = new DriverPropertyInfo("password", null);
        password.description = "That user's password";
        return new DriverPropertyInfo[] {user, password};
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
