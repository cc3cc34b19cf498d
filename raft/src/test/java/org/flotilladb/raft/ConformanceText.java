package org.flotilladb.raft;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** What the library makes, in the words of the scripts. */
final class ConformanceText {
    private ConformanceText() {}

    static String role(Role role) {
        return switch (role) {
            case FOLLOWER -> "StateFollower";
            case PRE_CANDIDATE -> "StatePreCandidate";
            case CANDIDATE -> "StateCandidate";
            case LEADER -> "StateLeader";
        };
    }

    static String progress(String text) {
        return text.replaceFirst("^PROBE", "StateProbe")
                .replaceFirst("^REPLICATE", "StateReplicate")
                .replaceFirst("^SNAPSHOT", "StateSnapshot");
    }

    /** "APP_RESP" is called "MsgAppResp". */
    static String type(MessageType type) {
        StringBuilder text = new StringBuilder("Msg");
        for (String word : type.name().split("_", -1)) {
            text.append(word.charAt(0)).append(word.substring(1).toLowerCase(java.util.Locale.ROOT));
        }
        return text.toString();
    }

    private static String target(long id) {
        if (id == 0) {
            return "None";
        }
        if (id == Message.APPEND_THREAD) {
            return "AppendThread";
        }
        return id == Message.APPLY_THREAD ? "ApplyThread" : Long.toHexString(id);
    }

    static String entry(Entry entry) {
        String head = entry.term() + "/" + entry.index() + " ";
        if (entry.type() == EntryType.NORMAL) {
            return head + "EntryNormal " + quoted(new String(entry.data(), StandardCharsets.UTF_8));
        }
        String name = entry.type() == EntryType.CONF_CHANGE ? "EntryConfChange" : "EntryConfChangeV2";
        String changes = ConfChange.decode(entry).changes().stream()
                .map(change -> kind(change.kind()) + Long.toUnsignedString(change.peer()))
                .collect(Collectors.joining(" "));
        return head + name + (changes.isEmpty() ? "" : " " + changes);
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static String kind(ConfChange.Kind kind) {
        return switch (kind) {
            case ADD_VOTER -> "v";
            case ADD_LEARNER -> "l";
            case REMOVE -> "r";
            case UPDATE -> "u";
        };
    }

    static String entries(List<Entry> entries) {
        return entries.stream().map(entry -> entry(entry) + "\n").collect(Collectors.joining());
    }

    static String snapshot(Snapshot snapshot) {
        ConfState state = snapshot.confState();
        return "Index:" + snapshot.index() + " Term:" + snapshot.term() + " ConfState:Voters:" + ids(state.voters())
                + " VotersOutgoing:" + ids(state.votersOutgoing()) + " Learners:" + ids(state.learners())
                + " LearnersNext:" + ids(state.learnersNext()) + " AutoLeave:" + state.autoLeave();
    }

    private static String ids(List<Long> ids) {
        return ids.stream().map(Long::toUnsignedString).collect(Collectors.joining(" ", "[", "]"));
    }

    static String message(Message m) {
        return message("", m);
    }

    private static String message(String indent, Message m) {
        StringBuilder text = new StringBuilder(indent);
        text.append(target(m.from()))
                .append("->")
                .append(target(m.to()))
                .append(' ')
                .append(type(m.type()));
        text.append(" Term:")
                .append(m.term())
                .append(" Log:")
                .append(m.logTerm())
                .append('/')
                .append(m.index());
        if (m.reject()) {
            text.append(" Rejected (Hint: ").append(m.rejectHint()).append(')');
        }
        if (m.commit() != 0) {
            text.append(" Commit:").append(m.commit());
        }
        if (m.vote() != 0 && m.type() == MessageType.STORAGE_APPEND) {
            text.append(" Vote:").append(m.vote());
        }
        if (m.entries().size() == 1) {
            text.append(" Entries:[").append(entry(m.entries().get(0))).append(']');
        } else if (!m.entries().isEmpty()) {
            text.append(" Entries:[");
            for (Entry entry : m.entries()) {
                text.append('\n').append(indent).append("  ").append(entry(entry));
            }
            text.append('\n').append(indent).append(']');
        }
        if (m.snapshot() != null) {
            text.append('\n').append(indent).append("  Snapshot: ").append(snapshot(m.snapshot()));
        }
        if (!m.responses().isEmpty()) {
            text.append(" Responses:[");
            for (Message response : m.responses()) {
                text.append('\n').append(message(indent + "  ", response));
            }
            text.append('\n').append(indent).append(']');
        }
        return text.toString();
    }

    static String ready(Ready ready) {
        StringBuilder text = new StringBuilder();
        if (ready.softState() != null) {
            text.append("Lead:").append(ready.softState().leader());
            text.append(" State:").append(role(ready.softState().role())).append('\n');
        }
        if (ready.hardState() != null) {
            HardState hard = ready.hardState();
            text.append("HardState Term:").append(hard.term());
            text.append(hard.vote() != 0 ? " Vote:" + hard.vote() : "");
            text.append(" Commit:").append(hard.commit()).append('\n');
        }
        if (!ready.readStates().isEmpty()) {
            text.append("ReadStates ").append(ready.readStates()).append('\n');
        }
        if (!ready.entries().isEmpty()) {
            text.append("Entries:\n").append(entries(ready.entries()));
        }
        if (ready.snapshot() != null) {
            text.append("Snapshot ").append(snapshot(ready.snapshot())).append('\n');
        }
        if (!ready.committedEntries().isEmpty()) {
            text.append("CommittedEntries:\n").append(entries(ready.committedEntries()));
        }
        if (!ready.messagesBeforePersist().isEmpty()
                || !ready.messagesAfterPersist().isEmpty()) {
            text.append("Messages:\n");
            ready.messagesBeforePersist().forEach(m -> text.append(message(m)).append('\n'));
            ready.messagesAfterPersist().forEach(m -> text.append(message(m)).append('\n'));
        }
        return text.isEmpty() ? "<empty Ready>\n" : "Ready MustSync=" + ready.mustSync() + ":\n" + text;
    }
}
