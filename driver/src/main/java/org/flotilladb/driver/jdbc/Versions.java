package org.flotilladb.driver.jdbc;

/** The driver's version. */
public final class Versions {
    public static final int MAJOR = 0;
    public static final int MINOR = 1;
    public static final String VERSION = MAJOR + "." + MINOR + ".0";

    private Versions() {}
}
