package org.flotilladb.driver.jdbc;

import java.io.InputStream;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** What a statement that has its SQL already refuses. */
abstract class WithoutSqlTexts extends FlotillaStatement implements PreparedStatement {
    WithoutSqlTexts(FlotillaConnection connection, Maker maker) throws SQLException {
        super(connection, maker);
    }

    @Override
    @Deprecated
    public void setUnicodeStream(int a, InputStream b, int c) throws SQLException {
        throw new SQLException("Streams of this kind are not supported: use setCharacterStream.", "0A000");
    }

    private static SQLException notHere() {
        return new SQLException(
                "A prepared statement already has its SQL: use the methods without it.", "90130", 90130);
    }

    @Override
    public ResultSet executeQuery(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public void addBatch(String text) throws SQLException {
        throw notHere();
    }
}
