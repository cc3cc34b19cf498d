package org.flotilladb.server.cli.demo;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * A shop with customers, products, orders and order lines. The same seed and size give the same rows. The order lines
 * of an order and the order itself are written in one transaction with others of their batch, so an interrupted load
 * leaves whole orders. Not thread-safe.
 */
public final class SampleData {

    private static final int BATCH = 200;

    private static final String[] FIRST = {
        "Ada", "Björn", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Håkon", "Inês", "Jürgen", "Keiko", "Łucja",
        "Mónica", "Nia", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Wanjiru", "Zoë"
    };
    private static final String[] LAST = {
        "Almeida",
        "Bauer",
        "Costa",
        "Dubois",
        "Eriksen",
        "Fischer",
        "García",
        "Horvat",
        "Ivanova",
        "Jansen",
        "Kovač",
        "Lindqvist",
        "Müller",
        "Novák",
        "Okafor",
        "Petrov",
        "Rossi",
        "Şahin",
        "Tanaka",
        "Weber"
    };
    private static final String[] CITY = {
        "Lisboa", "Hamburg", "København", "Łódź", "Genova", "Rotterdam", "Bergen", "Marseille", "Málaga", "Trieste"
    };
    private static final String[] MATERIAL = {"Oak", "Brass", "Linen", "Canvas", "Copper", "Cork", "Teak", "Wool"};
    private static final String[] THING = {
        "anchor", "barometer", "compass", "lantern", "sextant", "rope", "sail", "chart", "telescope", "flag"
    };
    private static final String[] STATE = {"new", "paid", "sent", "delivered", "returned"};

    private static final String[] TABLES = {"""
        CREATE TABLE customers (
            id INT PRIMARY KEY,
            name VARCHAR(80) NOT NULL,
            email VARCHAR(120) NOT NULL UNIQUE,
            city VARCHAR(40) NOT NULL,
            since DATE NOT NULL)""", """
        CREATE TABLE products (
            id INT PRIMARY KEY,
            name VARCHAR(80) NOT NULL,
            price DECIMAL(10, 2) NOT NULL CHECK (price > 0),
            stock INT NOT NULL)""", """
        CREATE TABLE orders (
            id INT PRIMARY KEY,
            customer_id INT NOT NULL REFERENCES customers (id),
            ordered_on DATE NOT NULL,
            state VARCHAR(10) NOT NULL)""", """
        CREATE TABLE order_lines (
            order_id INT NOT NULL REFERENCES orders (id),
            line_no INT NOT NULL,
            product_id INT NOT NULL REFERENCES products (id),
            quantity INT NOT NULL CHECK (quantity > 0),
            price DECIMAL(10, 2) NOT NULL,
            PRIMARY KEY (order_id, line_no))""", "CREATE INDEX orders_ordered_on ON orders (ordered_on)"
    };

    private final SplittableRandom random;
    private final int customers;
    private final int products;
    private final int orders;

    /** @param customers how many customers; there are a fifth as many products and three times as many orders */
    public SampleData(long seed, int customers) {
        this.random = new SplittableRandom(seed);
        this.customers = customers;
        this.products = Math.max(10, customers / 5);
        this.orders = customers * 3;
    }

    /** Whether the tables are there already; an interrupted load counts as not there. */
    public static boolean isLoaded(Connection connection) throws SQLException {
        try (ResultSet tables = connection.getMetaData().getTables(null, null, "SAMPLE_DATA", null)) {
            return tables.next();
        }
    }

    /** Creates the tables and loads the rows; removes first what an interrupted load left. */
    public void load(Connection connection) throws SQLException {
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            for (String table : new String[] {"order_lines", "orders", "products", "customers"}) {
                statement.execute("DROP TABLE IF EXISTS " + table);
            }
            for (String table : TABLES) {
                statement.execute(table);
            }
        }
        connection.setAutoCommit(false);
        loadCustomers(connection);
        BigDecimal[] prices = loadProducts(connection);
        loadOrders(connection, prices);
        connection.setAutoCommit(true);
        // The last table says that the others are whole.
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE sample_data (customers INT, products INT, orders INT)");
            statement.execute("INSERT INTO sample_data VALUES (" + customers + ", " + products + ", " + orders + ")");
        }
    }

    private void loadCustomers(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers VALUES (?, ?, ?, ?, ?)")) {
            for (int id = 1; id <= customers; id++) {
                String first = pick(FIRST);
                String last = pick(LAST);
                insert.setInt(1, id);
                insert.setString(2, first + " " + last);
                insert.setString(3, (first + "." + last).toLowerCase(Locale.ROOT) + id + "@example.org");
                insert.setString(4, pick(CITY));
                insert.setDate(5, day(2020, 4 * 365));
                insert.addBatch();
                commitBatch(connection, id, customers, insert);
            }
        }
    }

    private BigDecimal[] loadProducts(Connection connection) throws SQLException {
        BigDecimal[] prices = new BigDecimal[products + 1];
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO products VALUES (?, ?, ?, ?)")) {
            for (int id = 1; id <= products; id++) {
                prices[id] = BigDecimal.valueOf(random.nextLong(199, 49_999), 2);
                insert.setInt(1, id);
                insert.setString(2, pick(MATERIAL) + " " + pick(THING) + " no. " + id);
                insert.setBigDecimal(3, prices[id]);
                insert.setInt(4, random.nextInt(0, 500));
                insert.addBatch();
                commitBatch(connection, id, products, insert);
            }
        }
        return prices;
    }

    private void loadOrders(Connection connection, BigDecimal[] prices) throws SQLException {
        try (PreparedStatement order = connection.prepareStatement("INSERT INTO orders VALUES (?, ?, ?, ?)");
                PreparedStatement line =
                        connection.prepareStatement("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)")) {
            for (int id = 1; id <= orders; id++) {
                order.setInt(1, id);
                order.setInt(2, random.nextInt(1, customers + 1));
                order.setDate(3, day(2024, 700));
                order.setString(4, pick(STATE));
                order.addBatch();
                int lines = random.nextInt(1, 5);
                for (int number = 1; number <= lines; number++) {
                    int product = random.nextInt(1, products + 1);
                    line.setInt(1, id);
                    line.setInt(2, number);
                    line.setInt(3, product);
                    line.setInt(4, random.nextInt(1, 10));
                    line.setBigDecimal(5, prices[product]);
                    line.addBatch();
                }
                commitBatch(connection, id, orders, order, line);
            }
        }
    }

    /** Sends the batches, in this order, every {@value #BATCH} rows and at the end. */
    private static void commitBatch(Connection connection, int done, int all, PreparedStatement... batches)
            throws SQLException {
        if (done % BATCH == 0 || done == all) {
            for (PreparedStatement batch : batches) {
                batch.executeBatch();
            }
            connection.commit();
        }
    }

    private Date day(int firstYear, int days) {
        return Date.valueOf(LocalDate.of(firstYear, 1, 1).plusDays(random.nextInt(days)));
    }

    private String pick(String[] of) {
        return of[random.nextInt(of.length)];
    }
}
