package org.flotilladb.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * A URL taken apart, with what a connection's properties add to it.
 *
 * @param name of the database
 * @param path the directory of {@code file:} and {@code node:}, absolute and without links; null for the other forms
 * @param hosts of a cluster, {@code host:port}
 * @param settings checked; only those that were given
 */
record JdbcUrl(Kind kind, String name, Path path, List<String> hosts, Map<Setting, String> settings) {
    /** What every URL begins with. */
    static final String PREFIX = "jdbc:flotilla:";

    static final int DEFAULT_PORT = 7411;
    private static final String DEFAULT_DATABASE = "main";
    private static final String FORMS = "jdbc:flotilla:mem:NAME, jdbc:flotilla:file:PATH,"
            + " jdbc:flotilla:node:PATH;LISTEN=host:port;JOIN=host:port, or jdbc:flotilla://host:port/DATABASE";
    private static final Pattern SECRET = Pattern.compile("(?i)(PASSWORD\\s*=)[^;&]*");
    private static final AtomicLong UNNAMED = new AtomicLong();

    /** The four forms. */
    enum Kind {
        MEMORY("mem:"),
        FILE("file:"),
        NODE("node:"),
        CLUSTER("//");

        /** What follows the prefix. */
        final String form;

        Kind(String form) {
            this.form = form;
        }
    }

    /**
     * Takes a URL apart.
     *
     * @param properties more settings, which must not contradict those of the URL; may be null
     * @throws SQLException with one sentence that says what is wrong and what to write
     */
    static JdbcUrl parse(String url, Properties properties) throws SQLException {
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
        int end = semicolon >= 0 ? semicolon : question;
        String location = end < 0 ? rest : rest.substring(0, end);
        Kind kind = kind(url, location);
        Map<Setting, String> settings = new EnumMap<>(Setting.class);
        if (end >= 0) {
            addAll(url, settings, rest.substring(end + 1), semicolon >= 0 ? ";" : "&");
        }
        if (properties != null) {
            for (String key : properties.stringPropertyNames()) {
                add(url, settings, key, properties.getProperty(key));
            }
        }
        Settings.checkForm(settings, kind.form);
        return locate(url, kind, location.substring(kind.form.length()), settings);
    }

    private static Kind kind(String url, String location) throws SQLException {
        for (Kind kind : Kind.values()) {
            if (location.startsWith(kind.form)) {
                return kind;
            }
        }
        throw malformed(url, "after jdbc:flotilla: comes mem:, file:, node: or //; the forms are " + FORMS);
    }

    private static JdbcUrl locate(String url, Kind kind, String location, Map<Setting, String> settings)
            throws SQLException {
        switch (kind) {
            case MEMORY -> {
                String name = location.isEmpty() ? "unnamed-" + UNNAMED.incrementAndGet() : location;
                return new JdbcUrl(kind, name, null, List.of(), settings);
            }
            case FILE -> {
                Path path = path(url, location);
                return new JdbcUrl(kind, path.getFileName().toString(), path, List.of(), settings);
            }
            case NODE -> {
                Path path = path(url, location);
                if (!settings.containsKey(Setting.LISTEN) || !settings.containsKey(Setting.JOIN)) {
                    throw malformed(url, "a node needs ;LISTEN=host:port;JOIN=host:port");
                }
                settings.put(Setting.LISTEN, hostAndPort(url, settings.get(Setting.LISTEN)));
                List<String> join = hosts(url, settings.get(Setting.JOIN));
                return new JdbcUrl(kind, path.getFileName().toString(), path, join, settings);
            }
            default -> {
                return cluster(url, location, settings);
            }
        }
    }

    private static JdbcUrl cluster(String url, String location, Map<Setting, String> settings) throws SQLException {
        int slash = location.indexOf('/');
        String hostList = slash < 0 ? location : location.substring(0, slash);
        String name = slash < 0 || slash == location.length() - 1 ? DEFAULT_DATABASE : location.substring(slash + 1);
        if (name.indexOf('/') >= 0) {
            throw malformed(url, "the database's name must not contain '/'");
        }
        return new JdbcUrl(Kind.CLUSTER, name, null, hosts(url, hostList), settings);
    }

    private static List<String> hosts(String url, String list) throws SQLException {
        List<String> hosts = new ArrayList<>();
        for (String host : list.split(",", -1)) {
            hosts.add(hostAndPort(url, host.trim()));
        }
        return hosts;
    }

    /** An IPv6 address stands in brackets. */
    private static String hostAndPort(String url, String host) throws SQLException {
        if (host.isEmpty()) {
            throw malformed(url, "a host is missing: write //host:port,host:port/DATABASE");
        }
        int colon = host.lastIndexOf(':');
        if (colon < 0 || host.endsWith("]")) {
            return host + ":" + DEFAULT_PORT;
        }
        boolean ambiguous = host.indexOf(':') != colon && !host.startsWith("[");
        try {
            int port = Integer.parseInt(host.substring(colon + 1));
            if (colon > 0 && port > 0 && port < 65_536 && !ambiguous) {
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
            Path path = withoutLinks(Path.of(full).toAbsolutePath().normalize());
            if (path.getFileName() == null) {
                throw malformed(url, "the path must name a directory below the root");
            }
            return path;
        } catch (InvalidPathException e) {
            throw malformed(url, "'" + text + "' is not a path (" + e.getReason() + ")");
        }
    }

    /** One directory has one name, whatever links lead to it: the name of its database, and the key it is open under. */
    private static Path withoutLinks(Path path) {
        if (path.getParent() == null) {
            return path;
        }
        try {
            return Files.exists(path)
                    ? path.toRealPath()
                    : withoutLinks(path.getParent()).resolve(path.getFileName());
        } catch (IOException e) {
            return path;
        }
    }

    private static void addAll(String url, Map<Setting, String> settings, String text, String separator)
            throws SQLException {
        for (String part : text.split(separator, -1)) {
            if (part.isBlank()) {
                continue;
            }
            int equals = part.indexOf('=');
            if (equals <= 0) {
                throw malformed(url, "'" + part + "' is not KEY=VALUE");
            }
            add(url, settings, part.substring(0, equals), part.substring(equals + 1));
        }
    }

    private static void add(String url, Map<Setting, String> settings, String key, String value) throws SQLException {
        Setting setting = Settings.find(key);
        String checked = setting.checked(value);
        String before = settings.put(setting, checked);
        if (before != null && !before.equals(checked)) {
            throw malformed(
                    url,
                    "the setting " + setting.key() + " is given twice"
                            + (setting == Setting.PASSWORD ? "" : ", as " + before + " and as " + checked));
        }
    }

    private static SQLException malformed(String url, String why) {
        return Settings.error("The URL " + masked(url) + " cannot be understood: " + why + ".");
    }

    /** Without its password. */
    private static String masked(String url) {
        return url == null ? "null" : SECRET.matcher(url).replaceAll("$1***");
    }

    /** The URL without settings. */
    String plain() {
        return PREFIX
                + switch (kind) {
                    case MEMORY -> kind.form + name;
                    case FILE, NODE -> kind.form + path;
                    case CLUSTER -> kind.form + String.join(",", hosts) + "/" + name;
                };
    }

    String text(Setting setting) {
        return settings.getOrDefault(setting, setting.otherwise());
    }

    long number(Setting setting) {
        return Long.parseLong(text(setting));
    }

    boolean flag(Setting setting) {
        return text(setting).equals("TRUE");
    }

    @Override
    public String toString() {
        return plain();
    }
}
