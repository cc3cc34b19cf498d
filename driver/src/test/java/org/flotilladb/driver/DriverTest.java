package org.flotilladb.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.ServiceLoader;
import org.flotilladb.Driver;
import org.flotilladb.FlotillaDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver alone: this module's tests have no node on their class path. */
class DriverTest {

    @Test
    void itIsFoundByServiceLoaderAndByDriverManager() throws SQLException {
        assertTrue(ServiceLoader.load(java.sql.Driver.class).stream().anyMatch(found -> found.type() == Driver.class));
        assertInstanceOf(Driver.class, DriverManager.getDriver("jdbc:flotilla:mem:x"));
    }

    @Test
    void itLeavesUrlsOfOthersAlone() throws SQLException {
        Driver driver = new Driver();
        assertFalse(driver.acceptsURL("jdbc:h2:mem:x"));
        assertNull(driver.connect("jdbc:h2:mem:x", new Properties()));
        assertTrue(driver.acceptsURL("jdbc:flotilla:nonsense"));
        assertEquals(
                "08001",
                assertThrows(SQLException.class, () -> driver.acceptsURL(null)).getSQLState());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"mem:x", "file:target/never", "node:target/never;LISTEN=127.0.0.1:7411;JOIN=127.0.0.1:7412"})
    void withoutTheServersClassesADatabaseInThisProcessSaysWhatToAdd(String rest) {
        SQLException e = assertThrows(SQLException.class, () -> DriverManager.getConnection("jdbc:flotilla:" + rest));
        assertTrue(e.getMessage().contains("add org.flotilladb:flotilla-server"), e.getMessage());
        assertEquals("08001", e.getSQLState());
    }

    @Test
    void aClusterThatIsNotThereIsNamedAfterTheTimeGiven() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        String url = "jdbc:flotilla://127.0.0.1:" + port + "/x;OPERATION_TIMEOUT_MS=300";
        SQLException e = assertThrows(SQLException.class, () -> DriverManager.getConnection(url));
        assertEquals("08001", e.getSQLState());
        assertTrue(e.getMessage().contains("127.0.0.1:" + port), e.getMessage());
        assertTrue(e.getMessage().contains("0.3 s"), e.getMessage());
        assertTrue(e.getMessage().contains("check that its nodes run"), e.getMessage());
    }

    @Test
    void theDataSourceWantsAUrl() {
        FlotillaDataSource source = new FlotillaDataSource();
        SQLException e = assertThrows(SQLException.class, source::getConnection);
        assertTrue(e.getMessage().contains("setUrl"), e.getMessage());
    }
}
