package org.flotilladb.server.cli;

/** A failure whose message is the one sentence to print. */
public class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CliException(String sentence) {
        super(sentence);
    }

    public CliException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
