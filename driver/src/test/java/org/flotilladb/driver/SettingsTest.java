package org.flotilladb.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.flotilladb.Driver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One definition per setting: parser, property info, documentation and error agree. */
class SettingsTest {

    private static Map<String, DriverPropertyInfo> infos(String url) {
        Map<String, DriverPropertyInfo> infos = new TreeMap<>();
        for (DriverPropertyInfo info : new Driver().getPropertyInfo(url, new Properties())) {
            infos.put(info.name, info);
        }
        return infos;
    }

    @Test
    void theTableInTheReadmeIsMadeOfTheDefinitions() throws Exception {
        List<String> readme = Files.readAllLines(Path.of(System.getProperty("flotilla.root"), "README.md"));
        List<String> table = Settings.table();
        int at = readme.indexOf(table.get(0));
        assertTrue(at >= 0, "the README should have this table:\n" + String.join("\n", table));
        assertEquals(
                String.join("\n", table),
                String.join("\n", readme.subList(at, Math.min(readme.size(), at + table.size()))));
        assertTrue(at + table.size() == readme.size()
                || readme.get(at + table.size()).isEmpty());
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void eachSettingIsParsedInAnyCaseAndDescribed(Setting setting) throws SQLException {
        assertEquals(setting, Settings.find(setting.key()));
        assertEquals(setting, Settings.find(setting.key().toLowerCase(Locale.ROOT)));
        assertFalse(setting.description().isBlank());
        assertFalse(setting.description().endsWith("."));
        Map<String, DriverPropertyInfo> infos = infos(null);
        DriverPropertyInfo info =
                infos.getOrDefault(setting.key(), infos.get(setting.key().toLowerCase(Locale.ROOT)));
        assertNotNull(info, "getPropertyInfo does not have it");
        assertEquals(setting.otherwise(), info.value);
        assertEquals(setting.description(), info.description);
        assertEquals(setting.choices(), info.choices == null ? List.of() : Arrays.asList(info.choices));
        if (!setting.otherwise().isEmpty()) {
            assertEquals(setting.otherwise(), setting.checked(setting.otherwise()), "its default is no value of it");
        }
    }

    @Test
    void propertyInfoShowsWhatIsGivenAndWhatThisFormHas() {
        Map<String, DriverPropertyInfo> memory = infos("jdbc:flotilla:mem:x;nodes=3");
        assertEquals("3", memory.get("NODES").value);
        assertFalse(memory.containsKey("LISTEN"));
        assertTrue(infos("jdbc:flotilla:node:x;LISTEN=a:1;JOIN=b:1").containsKey("LISTEN"));
        // A person may still be typing.
        assertEquals(Setting.values().length, infos("jdbc:flotilla:").size());
    }

    @ParameterizedTest
    @CsvSource({
        "LOCK_TIMEOUTS, LOCK_TIMEOUT",
        "lok_timeout, LOCK_TIMEOUT",
        "NODE, NODES",
        "DB_CLOSE_DELY, DB_CLOSE_DELAY",
        "usr, USER",
        "IF_EXISTS, IFEXISTS",
        "TIMEZONE, TIME ZONE"
    })
    void anUnknownKeyIsAnErrorThatNamesTheNearest(String key, String nearest) {
        SQLException e =
                assertThrows(SQLException.class, () -> JdbcUrl.parse("jdbc:flotilla:mem:x;" + key + "=1", null));
        assertEquals(90113, e.getErrorCode());
        assertEquals(
                "There is no setting " + key.toUpperCase(Locale.ROOT) + "; did you mean " + nearest + "?",
                e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"XYZZY", "Q", "SOMETHING_ELSE_ALTOGETHER"})
    void aKeyThatIsNearNothingIsAnErrorThatNamesAll(String key) {
        SQLException e =
                assertThrows(SQLException.class, () -> JdbcUrl.parse("jdbc:flotilla:mem:x;" + key + "=1", null));
        assertTrue(e.getMessage().startsWith("There is no setting " + key + "; there are "), e.getMessage());
        for (Setting setting : Setting.values()) {
            assertTrue(e.getMessage().contains(setting.key()), e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"AUTO_SERVER", "auto_server", "INIT", "CIPHER", "TRACE_LEVEL_FILE", "TRACE_MAX_FILE_SIZE"})
    void settingsOfH2ThatMakeNoSenseHereSayWhatToDoInstead(String key) {
        SQLException e = assertThrows(SQLException.class, () -> Settings.find(key));
        assertTrue(
                e.getMessage()
                        .startsWith("The setting " + key.toUpperCase(Locale.ROOT) + " of H2 does not exist here: "),
                e.getMessage());
    }

    @Test
    void autoServerIsRefusedWithAHintAtTheServer() {
        SQLException e = assertThrows(SQLException.class, () -> Settings.find("AUTO_SERVER"));
        assertTrue(e.getMessage().contains("./flotilla server"), e.getMessage());
    }
}
