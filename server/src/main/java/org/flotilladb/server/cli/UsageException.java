package org.flotilladb.server.cli;

/** The command line is wrong; nothing was tried. */
final class UsageException extends CliException {
    private static final long serialVersionUID = 1L;

    UsageException(String sentence) {
        super(sentence);
    }
}
