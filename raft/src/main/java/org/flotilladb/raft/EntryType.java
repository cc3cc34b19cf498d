package org.flotilladb.raft;

/** What an entry's data is. */
public enum EntryType {
    /** The application's command; empty data is the entry a new leader appends. */
    NORMAL(0),
    /** A simple change of membership. */
    CONF_CHANGE(1),
    /** A change of membership of one or more peers, possibly through a joint configuration. */
    CONF_CHANGE_V2(2);

    private final int code;

    EntryType(int code) {
        this.code = code;
    }

    /** The number on the wire and on disk; never changes. */
    public int code() {
        return code;
    }

    public static EntryType fromCode(int code) {
        for (EntryType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new IllegalArgumentException("no entry type has the code " + code);
    }
}
