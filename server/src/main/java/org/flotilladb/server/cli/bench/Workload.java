package org.flotilladb.server.cli.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/** What a client does again and again. Statements are standard SQL, prepared once for each client. */
public enum Workload {
    /** One row by primary key, autocommit. */
    POINT_READ {
        @Override
        Client client(Connection connection, Size size, SplittableRandom random) throws SQLException {
            connection.setAutoCommit(true);
            PreparedStatement select = connection.prepareStatement("SELECT val, txt FROM bench_items WHERE id = ?");
            return () -> {
                select.setInt(1, random.nextInt(size.rows()));
                try (ResultSet rows = select.executeQuery()) {
                    if (!rows.next() || rows.getString(2) == null) {
                        throw new SQLException("a row of bench_items is missing");
                    }
                }
            };
        }
    },

    /** One column of one row by primary key, autocommit. */
    POINT_UPDATE {
        @Override
        Client client(Connection connection, Size size, SplittableRandom random) throws SQLException {
            connection.setAutoCommit(true);
            PreparedStatement update = connection.prepareStatement("UPDATE bench_items SET val = ? WHERE id = ?");
            return () -> {
                update.setInt(1, random.nextInt());
                update.setInt(2, random.nextInt(size.rows()));
                expectOne(update.executeUpdate());
            };
        }
    },

    /** One row of about 100 bytes with a new primary key and a secondary index, autocommit. */
    INSERT {
        @Override
        Client client(Connection connection, Size size, SplittableRandom random) throws SQLException {
            connection.setAutoCommit(true);
            PreparedStatement insert = connection.prepareStatement("INSERT INTO bench_items VALUES (?, ?, ?, ?)");
            return () -> {
                long id = size.nextId().getAndIncrement();
                insert.setInt(1, Math.toIntExact(id));
                insert.setInt(2, random.nextInt(size.rows()));
                insert.setInt(3, random.nextInt());
                insert.setString(4, Schema.text(id));
                expectOne(insert.executeUpdate());
            };
        }
    },

    /** One transaction: an account, its teller and branch get an amount, the account is read, history gets a row. */
    TPCB {
        @Override
        Client client(Connection connection, Size size, SplittableRandom random) throws SQLException {
            connection.setAutoCommit(false);
            PreparedStatement account = connection.prepareStatement(addTo("accounts"));
            PreparedStatement read = connection.prepareStatement("SELECT balance FROM bench_accounts WHERE id = ?");
            PreparedStatement teller = connection.prepareStatement(addTo("tellers"));
            PreparedStatement branch = connection.prepareStatement(addTo("branches"));
            PreparedStatement history =
                    connection.prepareStatement("INSERT INTO bench_history VALUES (?, ?, ?, ?, ?, ?)");
            return () -> {
                int accountId = random.nextInt(size.rows());
                int tellerId = random.nextInt(size.branches() * Schema.TELLERS_PER_BRANCH);
                int branchId = tellerId / Schema.TELLERS_PER_BRANCH;
                int amount = random.nextInt(-5000, 5001);
                add(account, amount, accountId);
                read.setInt(1, accountId);
                try (ResultSet rows = read.executeQuery()) {
                    expectOne(rows.next() ? 1 : 0);
                }
                add(teller, amount, tellerId);
                add(branch, amount, branchId);
                history.setLong(1, size.nextId().getAndIncrement());
                history.setInt(2, accountId);
                history.setInt(3, tellerId);
                history.setInt(4, branchId);
                history.setInt(5, amount);
                history.setString(6, Schema.text(accountId).substring(0, 22));
                expectOne(history.executeUpdate());
                connection.commit();
            };
        }
    };

    abstract Client client(Connection connection, Size size, SplittableRandom random) throws SQLException;

    /** The name on the command line and in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String addTo(String table) {
        return "UPDATE bench_" + table + " SET balance = balance + ? WHERE id = ?";
    }

    private static void add(PreparedStatement update, int amount, int id) throws SQLException {
        update.setInt(1, amount);
        update.setInt(2, id);
        expectOne(update.executeUpdate());
    }

    private static void expectOne(int count) throws SQLException {
        if (count != 1) {
            throw new SQLException("one row should be read or changed, but " + count + " were");
        }
    }

    /** One operation on one client's connection. */
    @FunctionalInterface
    interface Client {
        void run() throws SQLException;
    }

    /**
     * @param rows of bench_items and bench_accounts
     * @param branches of bench_branches, each with {@value Schema#TELLERS_PER_BRANCH} tellers
     * @param nextId new primary keys, shared by all clients and runs
     */
    record Size(int rows, int branches, AtomicLong nextId) {}
}
