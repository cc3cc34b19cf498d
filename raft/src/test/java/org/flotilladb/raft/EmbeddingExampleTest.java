package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How to embed the library: a replicated map of three peers, complete but for a real network and disk. */
@DisplayName("An example: a replicated map")
class EmbeddingExampleTest {

    /** One peer: the library, what it stores to, and the map that the log is applied to. */
    private static final class MapPeer {
        private final RawNode raft;
        private final MemoryStorage storage = new MemoryStorage();
        private final ArrayDeque<Message> network;
        final TreeMap<String, String> map = new TreeMap<>();

        MapPeer(long id, ArrayDeque<Message> network) {
            this.network = network;
            // A group whose members may change begins after a snapshot that names its first members.
            storage.applySnapshot(new Snapshot(1, 1, ConfState.ofVoters(1L, 2L, 3L), null));
            raft = new RawNode(Config.builder(id, storage).applied(1).seed(id).build(), 0);
        }

        void put(String key, String value) throws ProposalDroppedException {
            raft.propose((key + "=" + value).getBytes(StandardCharsets.UTF_8));
        }

        /** What a peer does whenever the library has something for it: the order is what makes it safe. */
        void handleReady() {
            while (raft.hasReady()) {
                Ready ready = raft.ready();
                // 1. What a leader sends may leave while its own disk is still writing.
                network.addAll(ready.messagesBeforePersist());
                // 2. Store; with a real disk: one batch, and an fsync where ready.mustSync().
                if (ready.hardState() != null) {
                    storage.setHardState(ready.hardState());
                }
                if (ready.snapshot() != null) {
                    storage.applySnapshot(ready.snapshot());
                }
                storage.append(ready.entries());
                // 3. Votes and answers speak of what is stored now.
                network.addAll(ready.messagesAfterPersist());
                // 4. Apply.
                ready.committedEntries().forEach(this::apply);
                // 5. Done.
                raft.advance();
            }
        }

        private void apply(Entry entry) {
            if (entry.type() != EntryType.NORMAL) {
                storage.setConfState(raft.applyConfChange(ConfChange.decode(entry)));
            } else if (entry.data().length > 0) {
                String[] pair = new String(entry.data(), StandardCharsets.UTF_8).split("=", 2);
                map.put(pair[0], pair[1]);
            }
        }
    }

    @Test
    void threePeersAgreeOnAMap() throws Exception {
        ArrayDeque<Message> network = new ArrayDeque<>();
        List<MapPeer> peers = List.of(new MapPeer(1, network), new MapPeer(2, network), new MapPeer(3, network));
        long nowNs = 0;
        MapPeer leader = null;
        for (int tick = 0; tick < 100; tick++) {
            nowNs += 100_000_000;
            for (MapPeer peer : peers) {
                peer.raft.tick(nowNs);
            }
            run(peers, network, nowNs);
            if (leader == null) {
                leader = peers.stream()
                        .filter(peer -> peer.raft.isLeader())
                        .findFirst()
                        .orElse(null);
            } else if (tick % 10 == 0) {
                leader.put("tick", Integer.toString(tick));
            }
        }
        for (MapPeer peer : peers) {
            assertEquals("90", peer.map.get("tick"));
        }
    }

    private static void run(List<MapPeer> peers, ArrayDeque<Message> network, long nowNs) {
        do {
            peers.forEach(MapPeer::handleReady);
            for (int count = network.size(); count > 0; count--) {
                Message message = network.poll();
                peers.get((int) message.to() - 1).raft.step(message, nowNs);
            }
            peers.forEach(MapPeer::handleReady);
        } while (!network.isEmpty());
    }
}
