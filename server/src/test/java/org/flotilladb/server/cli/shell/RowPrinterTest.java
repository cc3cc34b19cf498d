package org.flotilladb.server.cli.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class RowPrinterTest {

    private static String table(String sql) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql);
                PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            RowPrinter.TABLE.print(rows, out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void columnsAreAlignedNumbersToTheRightWideLettersAsTwoColumns() throws Exception {
        assertEquals(
                """
                N   | CITY | T
                ----+------+-----
                  1 | 東京 | x
                250 | Łódź | NULL
                """, table("SELECT * FROM (VALUES (1, '東京', 'x'), (250, 'Łódź', NULL)) AS v (n, city, t) ORDER BY n"));
    }

    @Test
    void anEmptyResultIsAHeaderWithItsLine() throws Exception {
        assertEquals("A | BB\n--+---\n", table("SELECT 1 AS a, 2 AS bb WHERE FALSE"));
    }

    @Test
    void moreThanAThousandRowsAreAlignedInPieces() throws Exception {
        String printed = table("SELECT x FROM SYSTEM_RANGE(1, 1001)");
        assertEquals(1001 + 2 * 2, printed.lines().count());
    }
}
