package org.flotilladb.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.flotilladb.driver.JdbcUrl.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** URLs: the four forms, what is understood, and what a person reads when it is not. */
class JdbcUrlTest {

    private static JdbcUrl parse(String rest) throws SQLException {
        return JdbcUrl.parse("jdbc:flotilla:" + rest, null);
    }

    private static String sentence(String rest) {
        SQLException e = assertThrows(SQLException.class, () -> parse(rest));
        assertEquals("08001", e.getSQLState(), e.getMessage());
        assertNotEquals(0, e.getErrorCode());
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        return e.getMessage();
    }

    @Test
    void aNameInMemory() throws SQLException {
        JdbcUrl url = parse("mem:test;NODES=3");
        assertEquals(Kind.MEMORY, url.kind());
        assertEquals("test", url.name());
        assertEquals(3, url.number(Setting.NODES));
        assertEquals("jdbc:flotilla:mem:test", url.plain());
    }

    @Test
    void withoutANameEachDatabaseInMemoryIsItsOwn() throws SQLException {
        assertNotEquals(parse("mem:").name(), parse("mem:").name());
    }

    @Test
    void aDirectoryGivesItsNameToTheDatabase(@TempDir Path folder) throws Exception {
        JdbcUrl url = parse("file:" + folder.resolve("shop"));
        assertEquals(Kind.FILE, url.kind());
        assertEquals("shop", url.name());
        assertEquals(folder.toRealPath().resolve("shop"), url.path());
    }

    @Test
    void relativeAndHomePathsAreResolvedAndTidied() throws Exception {
        Path here = Path.of("").toRealPath();
        assertEquals(here.resolve("data/x"), parse("file:./data/../data/x").path());
        assertEquals(here.resolve("x"), parse("file:x").path());
        Path home = Path.of(System.getProperty("user.home")).toRealPath();
        assertEquals(home.resolve("x"), parse("file:~/x").path());
        assertEquals(here.resolve("~x"), parse("file:~x").path(), "only ~ and ~/ are the home directory");
    }

    @Test
    void aLinkAndItsDirectoryAreOneDatabase(@TempDir Path folder) throws Exception {
        Path real = Files.createDirectory(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        assertEquals(parse("file:" + real), parse("file:" + link));
        assertEquals("new", parse("file:" + link.resolve("new")).name());
        assertEquals(
                real.toRealPath().resolve("new"),
                parse("file:" + link.resolve("new")).path());
    }

    @Test
    void aClusterByItsHosts() throws SQLException {
        JdbcUrl url = parse("//a:1,b:2,c/shop");
        assertEquals(Kind.CLUSTER, url.kind());
        assertEquals(List.of("a:1", "b:2", "c:7411"), url.hosts());
        assertEquals("shop", url.name());
        assertEquals("jdbc:flotilla://a:1,b:2,c:7411/shop", url.plain());
    }

    @ParameterizedTest
    @CsvSource({
        "//localhost, localhost:7411, main",
        "//localhost/, localhost:7411, main",
        "//127.0.0.1:7000/x, 127.0.0.1:7000, x",
        "//[::1]/x, [::1]:7411, x",
        "//[::1]:7000/x, [::1]:7000, x"
    })
    void theUsualPortAndDatabaseNeedNotBeWritten(String rest, String host, String name) throws SQLException {
        assertEquals(List.of(host), parse(rest).hosts());
        assertEquals(name, parse(rest).name());
    }

    @Test
    void anApplicationAsANodeIsParsed() throws SQLException {
        JdbcUrl url = parse("node:./n1;LISTEN=127.0.0.1;JOIN=127.0.0.1:7412,127.0.0.1:7413");
        assertEquals(Kind.NODE, url.kind());
        assertEquals("n1", url.name());
        assertEquals("127.0.0.1:7411", url.text(Setting.LISTEN));
        assertEquals(List.of("127.0.0.1:7412", "127.0.0.1:7413"), url.hosts());
        assertTrue(sentence("node:./n1;LISTEN=127.0.0.1:7411").contains("JOIN=host:port"));
        assertTrue(sentence("node:./n1;LISTEN=127.0.0.1:x;JOIN=a").contains("127.0.0.1:x"));
    }

    @Test
    void bothFormsOfSettingsMeanTheSame() throws SQLException {
        assertEquals(parse("mem:x;MODE=MySQL;LOCK_TIMEOUT=5"), parse("mem:x?mode=mysql&lock_timeout=5"));
        assertEquals(Map.of(), parse("mem:x;").settings());
        assertEquals(Map.of(), parse("mem:x?").settings());
        assertEquals("Europe/Berlin", parse("mem:x;TIME ZONE=Europe/Berlin").text(Setting.TIME_ZONE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mem:x;MODE=MySQL?lock_timeout=5", "mem:x?mode=MySQL;LOCK_TIMEOUT=5"})
    void theyAreNeverMixed(String rest) {
        assertTrue(sentence(rest).contains("mixes ';' and '?'"), sentence(rest));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "\"\" | comes mem:, file:, node: or //",
                "tape:x | comes mem:, file:, node: or //",
                "file: | the path of a directory is missing",
                "file:/ | below the root",
                "// | a host is missing",
                "//a,,b/x | a host is missing",
                "//a:0/x | port from 1 to 65535",
                "//a:65536/x | port from 1 to 65535",
                "//a:b/x | 'a:b' is not host:port",
                "//::1/x | '::1' is not host:port",
                "//a/x/y | must not contain '/'",
                "mem:x;=1 | '=1' is not KEY=VALUE",
                "mem:x;MODE | 'MODE' is not KEY=VALUE",
                "mem:x;NODES=1;NODES=2 | NODES is given twice, as 1 and as 2",
                "mem:x;NODES=many | must be a whole number, it is 'many'",
                "mem:x;IFEXISTS=maybe | must be TRUE or FALSE, it is 'maybe'",
                "mem:x;MODE=dBase | must be one of REGULAR, STRICT",
                "mem:x;LISTEN=a:1 | is for jdbc:flotilla:node: URLs only",
                "//h/x;NODES=3 | is for jdbc:flotilla:mem: and jdbc:flotilla:file: URLs only",
                "mem:x;OPERATION_TIMEOUT_MS=5 | is for jdbc:flotilla:// URLs only"
            })
    void whatIsWrongIsNamedInOneSentence(String rest, String words) {
        assertTrue(sentence(rest).contains(words), sentence(rest));
    }

    @Test
    void aUrlOfAnotherDatabaseIsNamed() {
        SQLException e = assertThrows(SQLException.class, () -> JdbcUrl.parse("jdbc:h2:mem:x", null));
        assertTrue(e.getMessage().contains("must begin with jdbc:flotilla:"), e.getMessage());
    }

    @Test
    void propertiesAddToTheUrlAndDoNotContradictIt() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "ada");
        properties.setProperty("lock_timeout", "7");
        JdbcUrl url = JdbcUrl.parse("jdbc:flotilla:mem:x;USER=ada;PASSWORD=secret", properties);
        assertEquals("ada", url.text(Setting.USER));
        assertEquals("secret", url.text(Setting.PASSWORD));
        assertEquals(7, url.number(Setting.LOCK_TIMEOUT));
        SQLException e =
                assertThrows(SQLException.class, () -> JdbcUrl.parse("jdbc:flotilla:mem:x;LOCK_TIMEOUT=8", properties));
        assertTrue(e.getMessage().contains("LOCK_TIMEOUT is given twice"), e.getMessage());
        properties.setProperty("colour", "blue");
        assertThrows(SQLException.class, () -> JdbcUrl.parse("jdbc:flotilla:mem:x", properties));
    }

    @Test
    void noMessageAndNoTextOfAUrlTellsThePassword() throws SQLException {
        for (String rest : List.of(
                "mem:x;PASSWORD=hush;NODES=many;=1",
                "mem:x?password=hush&=1",
                "mem:x;PASSWORD=hush;=1",
                "mem:x;PASSWORD=hush;PASSWORD=hush2")) {
            assertFalse(sentence(rest).contains("hush"), sentence(rest));
        }
        assertFalse(parse("mem:x;PASSWORD=hush").toString().contains("hush"));
    }
}
