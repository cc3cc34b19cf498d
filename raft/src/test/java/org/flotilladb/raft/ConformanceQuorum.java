package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.quorum.IdSet;
import org.flotilladb.raft.quorum.JointConfig;
import org.flotilladb.raft.quorum.MajorityConfig;
import org.flotilladb.raft.quorum.VoteResult;

/** The directives {@code committed} and {@code vote}. */
final class ConformanceQuorum {
    private ConformanceQuorum() {}

    static String handle(ConformanceFile.Case test) {
        test.onlyKeys("cfg", "cfgj", "idx", "votes");
        test.wordCount(0, 0);
        if (!test.input().isEmpty()) {
            throw new ConformanceFile.UnknownDirective(test.directive() + " with input " + test.input());
        }
        boolean joint = test.values("cfgj") != null;
        List<Long> ids = ids(test.values("cfg"));
        List<Long> outgoingIds = ids(test.values("cfgj"));
        MajorityConfig incoming = new MajorityConfig(IdSet.of(ids));
        MajorityConfig outgoing = new MajorityConfig(IdSet.of(outgoingIds));
        JointConfig config = new JointConfig(incoming, outgoing);
        List<Long> order = new ArrayList<>(ids);
        outgoingIds.stream().filter(id -> !ids.contains(id)).forEach(order::add);
        return switch (test.directive()) {
            case "committed" -> {
                TreeMap<Long, Long> acked = values(test, order, test.values("idx"), Long::parseLong);
                yield committed(config, joint, acked);
            }
            case "vote" -> {
                TreeMap<Long, Long> votes = values(test, order, test.values("votes"), text -> switch (text) {
                    case "y" -> 1L;
                    case "n" -> -1L;
                    default -> throw new ConformanceFile.UnknownDirective("vote " + text);
                });
                yield vote(config, votes);
            }
            default -> throw new ConformanceFile.UnknownDirective(test.directive());
        };
    }

    private static List<Long> ids(List<String> texts) {
        return texts == null || texts.equals(List.of("zero"))
                ? List.of()
                : texts.stream().map(Long::parseLong).toList();
    }

    private static TreeMap<Long, Long> values(
            ConformanceFile.Case test,
            List<Long> order,
            List<String> texts,
            java.util.function.Function<String, Long> parse) {
        List<String> given = texts == null ? List.of() : texts;
        if (given.size() != order.size()) {
            throw new IllegalArgumentException("line " + test.line() + ": " + given + " for voters " + order);
        }
        TreeMap<Long, Long> values = new TreeMap<>();
        for (int i = 0; i < order.size(); i++) {
            if (!given.get(i).equals("_")) {
                values.put(order.get(i), parse.apply(given.get(i)));
            }
        }
        return values;
    }

    private static String committed(JointConfig config, boolean joint, TreeMap<Long, Long> acked) {
        long index = config.reachedByMajority(voter -> acked.getOrDefault(voter, 0L));
        StringBuilder text = new StringBuilder(describe(config.ids(), acked));
        long symmetric = swapped(config).reachedByMajority(voter -> acked.getOrDefault(voter, 0L));
        if (joint && symmetric != index) {
            text.append(index(symmetric)).append(" <-- via symmetry\n");
        }
        return text.append(index(index)).append('\n').toString();
    }

    private static String index(long index) {
        return index == Long.MAX_VALUE ? "∞" : Long.toString(index);
    }

    /** Each voter's index with a bar as long as its rank. */
    private static String describe(IdSet voters, TreeMap<Long, Long> acked) {
        if (voters.isEmpty()) {
            return "<empty majority quorum>";
        }
        int n = voters.size();
        List<Long> ranked = new ArrayList<>(voters.toList());
        ranked.sort(
                Comparator.<Long>comparingLong(id -> acked.getOrDefault(id, 0L)).thenComparingLong(id -> id));
        TreeMap<Long, Integer> bars = new TreeMap<>();
        for (int i = 0; i < n; i++) {
            long before = i == 0 ? -1 : acked.getOrDefault(ranked.get(i - 1), 0L);
            boolean same = before == acked.getOrDefault(ranked.get(i), 0L);
            bars.put(ranked.get(i), same ? bars.get(ranked.get(i - 1)) : (Integer) i);
        }
        StringBuilder text = new StringBuilder(" ".repeat(n)).append("    idx\n");
        for (long id : voters.toList()) {
            int bar = bars.get(id);
            text.append(acked.containsKey(id) ? "x".repeat(bar) + ">" + " ".repeat(n - bar) : "?" + " ".repeat(n));
            text.append(String.format(" %5d    (id=%d)%n", acked.getOrDefault(id, 0L), id));
        }
        return text.toString();
    }

    private static String vote(JointConfig config, TreeMap<Long, Long> votes) {
        VoteResult result = config.voteResult(voter -> (int) (long) votes.getOrDefault(voter, 0L));
        VoteResult symmetric = swapped(config).voteResult(voter -> (int) (long) votes.getOrDefault(voter, 0L));
        return (symmetric == result ? "" : text(symmetric) + " <-- via symmetry\n") + text(result) + "\n";
    }

    private static String text(VoteResult result) {
        return switch (result) {
            case WON -> "VoteWon";
            case LOST -> "VoteLost";
            case PENDING -> "VotePending";
        };
    }

    /** Which half is which must not matter. */
    private static JointConfig swapped(JointConfig config) {
        return new JointConfig(config.outgoing(), config.incoming());
    }
}
