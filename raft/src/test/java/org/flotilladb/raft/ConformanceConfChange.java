package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.confchange.Changer;
import org.flotilladb.raft.confchange.ConfChangeException;
import org.flotilladb.raft.tracker.Inflights;
import org.flotilladb.raft.tracker.Membership;
import org.flotilladb.raft.tracker.Progress;

/** The directives {@code simple}, {@code enter-joint} and {@code leave-joint}. */
final class ConformanceConfChange {
    private Changer.Result present = new Changer.Result(Membership.EMPTY, new TreeMap<>());
    private long lastIndex;

    String handle(ConformanceFile.Case test) {
        test.onlyKeys("autoleave");
        test.wordCount(0, 0);
        try {
            List<ConfChange.Single> changes = parse(String.join(" ", test.input()));
            Changer changer = new Changer(present, id -> progress(id, false), id -> progress(id, true));
            present = switch (test.directive()) {
                case "simple" -> changer.simple(changes);
                case "enter-joint" -> changer.enterJoint(test.flag("autoleave"), changes);
                case "leave-joint" -> {
                    if (!changes.isEmpty()) {
                        throw new ConfChangeException("this command takes no input");
                    }
                    yield changer.leaveJoint();
                }
                default -> throw new ConformanceFile.UnknownDirective(test.directive());
            };
        } catch (ConfChangeException e) {
            return e.getMessage() + "\n";
        } finally {
            lastIndex++;
        }
        StringBuilder text = new StringBuilder().append(present.membership()).append('\n');
        present.progress()
                .forEach((id, peer) -> text.append(Long.toHexString(id))
                        .append(": ")
                        .append(ConformanceText.progress(peer.toString()))
                        .append('\n'));
        return text.toString();
    }

    private Progress progress(long id, boolean learner) {
        return new Progress(id, learner, 0, Math.max(lastIndex, 1), true, new Inflights(10, 0));
    }

    /** Such as "v1 l2 r3 u4". */
    static List<ConfChange.Single> parse(String text) {
        List<ConfChange.Single> changes = new ArrayList<>();
        for (String each : text.strip().split(" +")) {
            if (each.isEmpty()) {
                continue;
            }
            ConfChange.Kind kind = switch (each.charAt(0)) {
                case 'v' -> ConfChange.Kind.ADD_VOTER;
                case 'l' -> ConfChange.Kind.ADD_LEARNER;
                case 'r' -> ConfChange.Kind.REMOVE;
                case 'u' -> ConfChange.Kind.UPDATE;
                default -> throw new ConformanceFile.UnknownDirective("change " + each);
            };
            changes.add(new ConfChange.Single(kind, Long.parseUnsignedLong(each.substring(1))));
        }
        return changes;
    }
}
