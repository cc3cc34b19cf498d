package org.flotilladb.server.cli;

import java.io.Console;

/** Whether a person sits at both ends. */
final class Terminals {

    private Terminals() {}

    /** True if standard input and standard output are both a terminal. */
    static boolean isInteractive() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            // Since Java 22 there is a console without a terminal too, and a method that tells.
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
