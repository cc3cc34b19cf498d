package org.flotilladb.raft;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A change of a group's membership, effective when the entry that carries it is applied. Immutable.
 *
 * <p>One voter more or less is a simple change; anything else, or what asks for it, enters a joint configuration, which
 * is left by an empty change: by the leader itself, or explicitly.
 */
public final class ConfChange {
    private static final byte[] NOTHING = new byte[0];

    private final EntryType entryType;
    private final Transition transition;
    private final List<Single> changes;
    private final byte[] context;

    /** What happens to one peer. */
    public enum Kind {
        // The order is the encoding; it never changes.

        /** Joins as a voter, or becomes one. */
        ADD_VOTER,
        /** Leaves the group. */
        REMOVE,
        /** Stays what it is; the application knows what the context means. */
        UPDATE,
        /** Joins as a learner, or becomes one. */
        ADD_LEARNER
    }

    /** How a joint configuration is entered and left. */
    public enum Transition {
        // The order is the encoding; it never changes.

        /** Simple where that is possible, else joint and left by the leader itself. */
        AUTO,
        /** Joint, left by the leader itself. */
        JOINT_IMPLICIT,
        /** Joint, left by a further change. */
        JOINT_EXPLICIT
    }

    /** One peer's part of a change. */
    public record Single(Kind kind, long peer) {}

    private ConfChange(EntryType entryType, Transition transition, List<Single> changes, byte[] context) {
        this.entryType = entryType;
        this.transition = Objects.requireNonNull(transition, "transition");
        this.changes = List.copyOf(changes);
        this.context = context;
    }

    /** A simple change of one peer. */
    public static ConfChange one(Kind kind, long peer) {
        return new ConfChange(EntryType.CONF_CHANGE, Transition.AUTO, List.of(new Single(kind, peer)), NOTHING);
    }

    public static ConfChange of(Transition transition, List<Single> changes) {
        return new ConfChange(EntryType.CONF_CHANGE_V2, transition, changes, NOTHING);
    }

    /** Leaves a joint configuration. */
    public static ConfChange leaveJoint() {
        return of(Transition.AUTO, List.of());
    }

    /** The same change with bytes for the application. */
    public ConfChange withContext(byte[] bytes) {
        return new ConfChange(entryType, transition, changes, bytes.clone());
    }

    /** How the entry that carries it is marked. */
    public EntryType entryType() {
        return entryType;
    }

    public Transition transition() {
        return transition;
    }

    public List<Single> changes() {
        return changes;
    }

    /** The application's bytes. */
    public byte[] context() {
        return context.clone();
    }

    public boolean leavesJoint() {
        return changes.isEmpty() && transition == Transition.AUTO;
    }

    public boolean entersJoint() {
        return !leavesJoint() && (transition != Transition.AUTO || changes.size() > 1);
    }

    /** Whether the leader is to leave by itself the joint configuration that this change enters. */
    public boolean autoLeave() {
        return transition != Transition.JOINT_EXPLICIT;
    }

    /** The entry's data; empty for a bare {@link #leaveJoint()}. */
    @SuppressWarnings("EnumOrdinal")
    byte[] encode() {
        if (leavesJoint() && context.length == 0) {
            return NOTHING;
        }
        ByteBuffer buffer = ByteBuffer.allocate(5 + 9 * changes.size() + context.length);
        buffer.put((byte) transition.ordinal()).putInt(changes.size());
        for (Single change : changes) {
            buffer.put((byte) change.kind.ordinal()).putLong(change.peer);
        }
        return buffer.put(context).array();
    }

    /**
     * What an entry carries.
     *
     * @throws IllegalArgumentException when it carries no change, or bytes that are none
     */
    @SuppressWarnings("EnumOrdinal")
    public static ConfChange decode(Entry entry) {
        if (entry.type() == EntryType.NORMAL) {
            throw new IllegalArgumentException("entry " + entry + " changes no membership");
        }
        byte[] data = entry.data();
        if (data.length == 0) {
            return leaveJoint();
        }
        try {
            ByteBuffer buffer = ByteBuffer.wrap(data);
            Transition transition = Transition.values()[buffer.get()];
            int count = buffer.getInt();
            List<Single> changes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                changes.add(new Single(Kind.values()[buffer.get()], buffer.getLong()));
            }
            byte[] context = Arrays.copyOfRange(data, buffer.position(), data.length);
            return new ConfChange(entry.type(), transition, changes, context);
        } catch (BufferUnderflowException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("entry " + entry + " holds no change of membership", e);
        }
    }

    @Override
    public String toString() {
        return transition + " " + changes;
    }
}
