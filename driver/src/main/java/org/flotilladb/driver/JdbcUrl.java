package org.flotilladb.driver;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A URL taken apart.
 *
 * @param name of the database
 * @param path the directory of {@code file:} and {@code node:}, absolute
 * @param hosts of a cluster, {@code host:port}
 * @param settings keys in upper case
 */
public record JdbcUrl(Kind kind, String name, Path path, List<String> hosts, Map<String, String> settings) {
    /** What every URL begins with. */
    public static final String PREFIX = "jdbc:flotilla:";

    public static final int DEFAULT_PORT = 7411;
    private static final String DEFAULT_DATABASE = "main";
    private static final String FORMS = "jdbc:flotilla:mem:NAME, jdbc:flotilla:file:PATH,"
            + " jdbc:flotilla:node:PATH;LISTEN=host:port;JOIN=host:port, or jdbc:flotilla://host:port/DATABASE";
    private static final AtomicLong UNNAMED = new AtomicLong();

    /** The four forms. */
    public enum Kind {
        MEMORY,
        FILE,
        NODE,
        CLUSTER
    }

    /** @throws SQLException with one sentence that says what is wrong and what to write */
    public static JdbcUrl parse(String url, Properties properties) throws SQLException {
        if (url == null || !url.startsWith(PREFIX)) {
            throw malformed(url, "it must begin with " + PREFIX + "; the forms are " + FORMS);
        }
        String rest = url.substring(PREFIX.length());
        int semicolon = rest.indexOf(';');
        int question = rest.indexOf('?');
        if (semicolon >= 0 && question >= 0) {
            throw malformed(
                    url, "it mixes ';' and '?': write all settings as ;KEY=VALUE or all as ?key=value&key=value");
        }
        Map<String, String> settings = new TreeMap<>();
        String location = rest;
        if (semicolon >= 0) {
            location = rest.substring(0, semicolon);
            addAll(url, settings, rest.substring(semicolon + 1), ";");
        } else if (question >= 0) {
            location = rest.substring(0, question);
            addAll(url, settings, rest.substring(question + 1), "&");
        }
        if (properties != null) {
            for (String key : properties.stringPropertyNames()) {
                String upper = key.toUpperCase(Locale.ROOT);
                if (!upper.equals("USER") && !upper.equals("PASSWORD")) {
                    settings.putIfAbsent(upper, properties.getProperty(key));
                }
            }
        }
        Settings.check(settings.keySet());
        return locate(url, location, settings);
    }

    private static JdbcUrl locate(String url, String location, Map<String, String> settings) throws SQLException {
        if (location.startsWith("mem:")) {
            String name = location.substring("mem:".length());
            String known = name.isEmpty() ? "unnamed-" + UNNAMED.incrementAndGet() : name;
            return new JdbcUrl(Kind.MEMORY, known, null, List.of(), settings);
        }
        if (location.startsWith("file:")) {
            Path path = path(url, location.substring("file:".length()));
            return new JdbcUrl(Kind.FILE, path.getFileName().toString(), path, List.of(), settings);
        }
        if (location.startsWith("node:")) {
            Path path = path(url, location.substring("node:".length()));
            if (!settings.containsKey("LISTEN") || !settings.containsKey("JOIN")) {
                throw malformed(url, "a node needs ;LISTEN=host:port;JOIN=host:port,...");
            }
            return new JdbcUrl(Kind.NODE, path.getFileName().toString(), path, List.of(), settings);
        }
        if (location.startsWith("//")) {
            return cluster(url, location.substring(2), settings);
        }
        throw malformed(url, "after jdbc:flotilla: comes mem:, file:, node: or //; the forms are " + FORMS);
    }

    private static JdbcUrl cluster(String url, String location, Map<String, String> settings) throws SQLException {
        int slash = location.indexOf('/');
        String hostList = slash < 0 ? location : location.substring(0, slash);
        String name = slash < 0 || slash == location.length() - 1 ? DEFAULT_DATABASE : location.substring(slash + 1);
        if (name.indexOf('/') >= 0) {
            throw malformed(url, "the database's name must not contain '/'");
        }
        List<String> hosts = new ArrayList<>();
        for (String host : hostList.split(",", -1)) {
            hosts.add(hostAndPort(url, host.trim()));
        }
        return new JdbcUrl(Kind.CLUSTER, name, null, hosts, settings);
    }

    private static String hostAndPort(String url, String host) throws SQLException {
        if (host.isEmpty()) {
            throw malformed(url, "a host is missing: write //host:port,host:port/DATABASE");
        }
        int colon = host.lastIndexOf(':');
        if (colon < 0 || host.endsWith("]")) {
            return host + ":" + DEFAULT_PORT;
        }
        try {
            int port = Integer.parseInt(host.substring(colon + 1));
            if (colon > 0 && port > 0 && port < 65_536) {
                return host;
            }
        } catch (NumberFormatException e) {
            // The sentence below.
        }
        throw malformed(url, "'" + host + "' is not host:port with a port from 1 to 65535");
    }

    private static Path path(String url, String text) throws SQLException {
        if (text.isEmpty()) {
            throw malformed(url, "the path of a directory is missing");
        }
        String full =
                text.equals("~") || text.startsWith("~/") ? System.getProperty("user.home") + text.substring(1) : text;
        try {
            Path path = Path.of(full).toAbsolutePath().normalize();
            if (path.getFileName() == null) {
                throw malformed(url, "the path must name a directory below the root");
            }
            return path;
        } catch (InvalidPathException e) {
            throw malformed(url, "'" + text + "' is not a path (" + e.getReason() + ")");
        }
    }

    private static void addAll(String url, Map<String, String> settings, String text, String separator)
            throws SQLException {
        for (String part : text.split(separator, -1)) {
            if (part.isBlank()) {
                continue;
            }
            int equals = part.indexOf('=');
            if (equals <= 0) {
                throw malformed(url, "'" + part + "' is not KEY=VALUE");
            }
            String key = part.substring(0, equals).trim().toUpperCase(Locale.ROOT);
            String value = part.substring(equals + 1).trim();
            String before = settings.put(key, value);
            if (before != null && !before.equals(value)) {
                throw malformed(url, "the setting " + key + " is given twice, as " + before + " and as " + value);
            }
        }
    }

    private static SQLException malformed(String url, String why) {
        return new SQLException("The URL " + url + " cannot be understood: " + why + ".", "08001", 90046);
    }

    /** The URL without settings. */
    public String plain() {
        return switch (kind) {
            case MEMORY -> PREFIX + "mem:" + name;
            case FILE -> PREFIX + "file:" + path;
            case NODE -> PREFIX + "node:" + path;
            case CLUSTER -> PREFIX + "//" + String.join(",", hosts) + "/" + name;
        };
    }

    /** A whole number among the settings. */
    long number(String key, long otherwise) throws SQLException {
        String value = settings.get(key);
        if (value == null) {
            return otherwise;
        }
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new SQLException(
                    "The setting " + key + " must be a whole number, it is '" + value + "'.", "08001", 90046);
        }
    }

    /** A yes or no among the settings. */
    boolean flag(String key) throws SQLException {
        String value = settings.getOrDefault(key, "FALSE").toUpperCase(Locale.ROOT);
        return switch (value) {
            case "TRUE", "1" -> true;
            case "FALSE", "0" -> false;
            default ->
                throw new SQLException(
                        "The setting " + key + " must be TRUE or FALSE, it is '" + value + "'.", "08001", 90046);
        };
    }
}
