package org.flotilladb.raft;

/** What a message is for. */
public enum MessageType {
    APP(1),
    APP_RESP(2),
    VOTE(3),
    VOTE_RESP(4),
    SNAP(5),
    HEARTBEAT(6),
    HEARTBEAT_RESP(7),
    PROP(8),
    TRANSFER_LEADER(9),
    TIMEOUT_NOW(10),
    READ_INDEX(11),
    READ_INDEX_RESP(12),
    PRE_VOTE(13),
    PRE_VOTE_RESP(14),
    /** To the user's own append thread: store what it carries, then deliver its responses. */
    STORAGE_APPEND(15),
    STORAGE_APPEND_RESP(16),
    /** To the user's own apply thread: apply what it carries, then deliver its responses. */
    STORAGE_APPLY(17),
    STORAGE_APPLY_RESP(18);

    private static final MessageType[] BY_CODE = new MessageType[19];

    static {
        for (MessageType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;

    MessageType(int code) {
        this.code = code;
    }

    /** Answers, which count only from peers of the group. */
    boolean isAnswer() {
        return switch (this) {
            case APP_RESP, VOTE_RESP, PRE_VOTE_RESP, HEARTBEAT_RESP, READ_INDEX_RESP -> true;
            default -> false;
        };
    }

    /** Between a peer and its user's storage threads; never over a network. */
    public boolean isLocal() {
        return code >= STORAGE_APPEND.code;
    }

    /** The number on the wire; never changes. */
    public int code() {
        return code;
    }

    public static MessageType fromCode(int code) {
        if (code <= 0 || code >= BY_CODE.length) {
            throw new IllegalArgumentException("no message type has the code " + code);
        }
        return BY_CODE[code];
    }
}
