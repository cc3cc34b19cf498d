package org.flotilladb;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import javax.sql.PooledConnection;
import org.flotilladb.driver.Databases;
import org.flotilladb.driver.jdbc.FlotillaPooledConnection;

/**
 * A DataSource with the properties url, user and password. Every connection is a new one; pools stand before it. Safe
 * for many threads once its properties are set.
 */
public final class FlotillaDataSource implements DataSource, ConnectionPoolDataSource {
    private String url;
    private String user = "";
    private String password = "";
    private int loginTimeoutSeconds;
    private PrintWriter logWriter;

    public FlotillaDataSource() {}

    public FlotillaDataSource(String url, String user, String password) {
        this.url = url;
        this.user = user;
        this.password = password;
    }

    public String getUrl() {
        return url;
    }

    public void setUrl(String url) {
        this.url = url;
    }

    public String getUser() {
        return user;
    }

    public void setUser(String user) {
        this.user = user;
    }

    public void setPassword(String password) {
        this.password = password;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return getConnection(user, password);
    }

    @Override
    public Connection getConnection(String asUser, String withPassword) throws SQLException {
        if (url == null) {
            throw new SQLException("The DataSource has no URL: call setUrl(\"jdbc:flotilla:...\").", "08001");
        }
        Properties properties = new Properties();
        // What is empty here may still stand in the URL.
        if (asUser != null && !asUser.isEmpty()) {
            properties.setProperty("user", asUser);
        }
        if (withPassword != null && !withPassword.isEmpty()) {
            properties.setProperty("password", withPassword);
        }
        return Databases.connect(url, properties);
    }

    @Override
    public PooledConnection getPooledConnection() throws SQLException {
        return new FlotillaPooledConnection(getConnection());
    }

    @Override
    public PooledConnection getPooledConnection(String asUser, String withPassword) throws SQLException {
        return new FlotillaPooledConnection(getConnection(asUser, withPassword));
    }

    @Override
    public PrintWriter getLogWriter() {
        return logWriter;
    }

    /** Kept and not written to: Flotilla logs through slf4j. */
    @Override
    public void setLogWriter(PrintWriter out) {
        logWriter = out;
    }

    /** Kept; a cluster that does not answer is given up after 10 seconds in any case. */
    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeoutSeconds = seconds;
    }

    @Override
    public int getLoginTimeout() {
        return loginTimeoutSeconds;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getLogger("org.flotilladb");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("This DataSource is no " + type.getName() + ".", "HY000");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}
