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
    PRE_VOTE_RESP(14);

    private static final MessageType[] BY_CODE = new MessageType[15];

    static {
        for (MessageType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;

    MessageType(int code) {
        this.code = code;
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
