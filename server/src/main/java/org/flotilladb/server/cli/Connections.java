package org.flotilladb.server.cli;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import picocli.CommandLine.Option;

/** How a command reaches a database: user, password and, for other products, driver class and class path. */
final class Connections {

    @Option(
            names = {"-u", "--user"},
            paramLabel = "NAME",
            description = "User name; none by default.")
    private String user;

    @Option(
            names = {"-p", "--password"},
            paramLabel = "PASSWORD",
            interactive = true,
            arity = "0..1",
            description = "Password, asked for if no value follows; also from the variable FLOTILLA_PASSWORD.")
    private char[] password;

    @Option(names = "--driver", paramLabel = "CLASS", description = "JDBC driver class of another database.")
    private String driverClass;

    @Option(
            names = {"--classpath", "-cp"},
            paramLabel = "PATH",
            description = "Class path of that driver; ours is not visible to it.")
    private String classpath;

    private Driver driver;

    /** Opens a connection; each call opens another one. Safe for many threads. */
    Connection open(String url) throws SQLException {
        Properties properties = new Properties();
        if (user != null) {
            properties.setProperty("user", user);
        }
        String secret = password != null ? new String(password) : System.getenv("FLOTILLA_PASSWORD");
        if (secret != null) {
            properties.setProperty("password", secret);
        }
        Driver chosen = driver();
        if (chosen == null) {
            return DriverManager.getConnection(url, properties);
        }
        Connection connection = chosen.connect(url, properties);
        if (connection == null) {
            throw new CliException("the driver " + driverClass + " does not understand the URL " + url);
        }
        return connection;
    }

    /** Adds the options that make another process open the same connections; the password goes by the environment. */
    void appendTo(List<String> arguments) {
        if (user != null) {
            arguments.addAll(List.of("--user", user));
        }
        if (driverClass != null) {
            arguments.addAll(List.of("--driver", driverClass));
        }
        if (classpath != null) {
            arguments.addAll(List.of("--classpath", classpath));
        }
    }

    private synchronized Driver driver() {
        if (driver == null && (driverClass != null || classpath != null)) {
            driver = load();
        }
        return driver;
    }

    private Driver load() {
        if (driverClass == null) {
            throw new CliException("--classpath needs --driver CLASS beside it");
        }
        try {
            ClassLoader loader = classpath == null ? Connections.class.getClassLoader() : loader(classpath);
            return Class.forName(driverClass, true, loader)
                    .asSubclass(Driver.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ClassNotFoundException e) {
            throw new CliException(
                    "there is no class " + driverClass
                            + (classpath == null ? "; name its jars with --classpath" : " in " + classpath),
                    e);
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new CliException("the class " + driverClass + " cannot be used as a JDBC driver: " + e, e);
        }
    }

    private static ClassLoader loader(String classpath) {
        List<URL> urls = new ArrayList<>();
        for (String entry : classpath.split(File.pathSeparator)) {
            Path path = Path.of(entry);
            if (!Files.exists(path)) {
                throw new CliException("--classpath names " + entry + ", which does not exist");
            }
            try {
                urls.add(path.toUri().toURL());
            } catch (MalformedURLException e) {
                throw new CliException("--classpath names " + entry + ", which is not a path", e);
            }
        }
        return new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
    }
}
