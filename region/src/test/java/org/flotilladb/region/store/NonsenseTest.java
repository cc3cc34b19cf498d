package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.system.LocalTransport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.flotilladb.region.store.mvcc.Timestamps;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three living Stores in virtual time that are sent nonsense: none of it stops them, and nothing is lost. */
class NonsenseTest {
    private static final long SEED = Long.getLong("flotilla.seed", 20261129L);
    private static final int STORES = 3;
    private static final int ROUNDS = 40;
    private static final int EACH = 60;
    private static final int MAX_RECORDED = 2000;
    private static final byte[] KEY = {'k'};

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final LocalTransport transport = new LocalTransport(null);
    private final List<SimNode> nodes = new ArrayList<>();
    private final List<Store> stores = new ArrayList<>();
    /** What the Stores have said to one another lately. */
    private final List<GroupMessage> recorded = new ArrayList<>();

    private TransactionClient client;

    private static String address(int node) {
        return "node" + node + ":7411";
    }

    @BeforeEach
    void open() {
        List<String> addresses = new ArrayList<>();
        for (int i = 1; i <= STORES; i++) {
            addresses.add(address(i));
        }
        for (int i = 1; i <= STORES; i++) {
            SimNode node = new SimNode(time, address(i), 0, 1, 0);
            Store store = new Store(
                    StoreSettings.of(i, addresses, GroupSettings.DEFAULT, false),
                    node,
                    node,
                    new SeededRandom(i),
                    transport,
                    new MemoryLogStore(),
                    new MemoryKvStore(),
                    init -> {},
                    failure -> {});
            transport.register(address(i), recording(store));
            nodes.add(node);
            stores.add(store);
            store.start();
        }
        SimNode node = new SimNode(time, "client", 0, 1, 0);
        client = new TransactionClient(
                ClientSettings.of(addresses), new ClientEnvironment(node, node, new SeededRandom(99), transport, null));
        run(5000);
    }

    private MessageHandler recording(Store store) {
        return new MessageHandler() {
            @Override
            public void onMessage(Envelope message) {
                for (GroupMessage each : message.getRaft().getMessagesList()) {
                    if (recorded.size() < MAX_RECORDED) {
                        recorded.add(each);
                    } else {
                        recorded.set(random.nextInt(MAX_RECORDED), each);
                    }
                }
                store.onMessage(message);
            }

            @Override
            public void onRequest(Envelope request, Responder responder) {
                store.onRequest(request, responder);
            }
        };
    }

    private void run(long ms) {
        long untilNs = time.nowNs() + ms * 1_000_000L;
        while (time.nextNs() <= untilNs) {
            time.step();
        }
        time.advanceTo(untilNs);
    }

    private <T> T done(CompletableFuture<T> future) {
        for (int i = 0; i < 1200 && !future.isDone(); i++) {
            run(50);
        }
        assertTrue(future.isDone(), "seed " + SEED + ": no answer in 60 s of virtual time");
        return future.join();
    }

    private void write(int number) {
        Transaction write = client.begin(false);
        write.put(KEY, bytes(number));
        done(write.commit());
    }

    private byte[] read() {
        return done(client.begin(false).get(KEY));
    }

    private static byte[] bytes(int number) {
        return Integer.toString(number).getBytes(StandardCharsets.UTF_8);
    }

    private void assertAlive(String after) {
        for (Store store : stores) {
            assertNull(store.failure(), () -> "seed " + SEED + ", after " + after + ": " + store.failure());
        }
    }

    // ---- numbers that make no sense
    // ----------------------------------------------------------------------------------

    private long absurd() {
        return switch (random.nextInt(6)) {
            case 0 -> -1;
            case 1 -> Long.MAX_VALUE - random.nextInt(3);
            case 2 -> Long.MIN_VALUE + random.nextInt(3);
            case 3 -> -random.nextLong(1, Long.MAX_VALUE);
            default -> random.nextLong(1L << 45, Long.MAX_VALUE);
        };
    }

    /** Puts absurd numbers into some of a message's numeric fields, at any depth. */
    private void distort(Message.Builder message, double share, boolean bytesToo) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            boolean chosen = random.nextDouble() < share;
            if (field.isRepeated()) {
                for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
                    if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                        Message.Builder each = ((Message) message.getRepeatedField(field, i)).toBuilder();
                        distort(each, share, bytesToo);
                        message.setRepeatedField(field, i, each.build());
                    } else if (chosen && field.getJavaType() == FieldDescriptor.JavaType.LONG) {
                        message.setRepeatedField(field, i, absurd());
                    }
                }
                continue;
            }
            switch (field.getJavaType()) {
                case MESSAGE -> {
                    if (message.hasField(field)) {
                        Message.Builder inner = ((Message) message.getField(field)).toBuilder();
                        distort(inner, share, bytesToo);
                        message.setField(field, inner.build());
                    }
                }
                case LONG -> {
                    if (chosen) {
                        message.setField(field, absurd());
                    }
                }
                case INT -> {
                    if (chosen) {
                        message.setField(field, (int) absurd());
                    }
                }
                case BOOLEAN -> {
                    if (chosen) {
                        message.setField(field, random.nextBoolean());
                    }
                }
                case BYTE_STRING -> {
                    if (chosen && bytesToo) {
                        message.setField(field, noise(random.nextInt(40)));
                    }
                }
                default -> {}
            }
        }
    }

    private ByteString noise(int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }

    // ---- Raft's messages
    // -----------------------------------------------------------------------------------------------

    @Test
    void raft_messages_with_absurd_numbers_from_a_known_store_stop_nobody() {
        for (int round = 0; round < ROUNDS; round++) {
            write(round);
            for (int i = 0; i < EACH; i++) {
                GroupMessage valid = recorded.get(random.nextInt(recorded.size()));
                RaftMessage.Builder message = valid.getMessage().toBuilder();
                distort(message, 0.2, false);
                if (random.nextInt(5) == 0) {
                    message.setType(random.nextInt(-1, 25));
                }
                deliver(valid, message.build());
            }
            assertAlive("round " + round);
            assertArrayEquals(bytes(round), read(), "seed " + SEED + ", round " + round);
        }
    }

    /** To the Store it was for, or, of the Placement Driver's group, to anyone. */
    private void deliver(GroupMessage valid, RaftMessage message) {
        Envelope envelope = Envelope.newBuilder()
                .setRaft(RaftBatch.newBuilder().addMessages(valid.toBuilder().setMessage(message)))
                .build();
        for (int i = 0; i < STORES; i++) {
            if (valid.getToStore() == 0 || stores.get(i).storeId() == valid.getToStore()) {
                int at = i;
                nodes.get(i).execute(() -> stores.get(at).onMessage(envelope));
            }
        }
        run(1);
    }

    @Test
    void notices_about_peers_with_nonsense_in_them_stop_nobody() {
        write(1);
        Region region = region();
        for (int i = 0; i < ROUNDS * EACH; i++) {
            GroupMessage.Builder notice = recorded.get(random.nextInt(recorded.size())).toBuilder();
            switch (random.nextInt(4)) {
                case 0 -> notice.setNeedsSnapshot(true);
                case 1 -> notice.setSnapshotFailed(absurd());
                case 2 -> {
                    // Whoever leaves out a peer of which it knows all numbers tells a lie, not nonsense.
                    Region.Builder removed = region.toBuilder();
                    distort(removed, 0.3, true);
                    notice.setRemoved(removed.addAllPeers(region.getPeersList()));
                }
                default -> notice.setGroupId(random.nextLong(1_000_000, Long.MAX_VALUE));
            }
            deliver(notice.build(), notice.getMessage());
        }
        assertAlive("notices");
        write(2);
        assertArrayEquals(bytes(2), read());
    }

    // ---- requests
    // -------------------------------------------------------------------------------------------------------

    private Region region() {
        return done(client.regions(new byte[0], new byte[0])).get(0).region();
    }

    /** A request with something in every field, much of it absurd. */
    private Message.Builder filled(Message.Builder message, int depth) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (random.nextInt(8) == 0) {
                continue;
            }
            int count = field.isRepeated() ? random.nextInt(4) : 1;
            for (int i = 0; i < count; i++) {
                Object value = value(message, field, depth);
                if (value == null) {
                    continue;
                }
                if (field.isRepeated()) {
                    message.addRepeatedField(field, value);
                } else {
                    message.setField(field, value);
                }
            }
        }
        return message;
    }

    private Object value(Message.Builder message, FieldDescriptor field, int depth) {
        boolean sane = random.nextBoolean();
        return switch (field.getJavaType()) {
            case LONG -> sane ? (Object) random.nextLong(0, 20) : absurd();
            case INT -> sane ? (Object) random.nextInt(0, 20) : (int) absurd();
            case BOOLEAN -> random.nextBoolean();
            case BYTE_STRING -> noise(random.nextInt(sane ? 4 : 60));
            case STRING -> "x".repeat(random.nextInt(10));
            case ENUM -> {
                var values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            case MESSAGE ->
                depth == 0
                        ? null
                        : filled(message.newBuilderForField(field), depth - 1).build();
            default -> null;
        };
    }

    /** One of the alternatives of a message, filled. */
    private <T extends Message.Builder> T filledCommand(T request, List<String> without) {
        List<FieldDescriptor> commands =
                request.getDescriptorForType().getOneofs().get(0).getFields();
        FieldDescriptor chosen;
        do {
            chosen = commands.get(random.nextInt(commands.size()));
        } while (without.contains(chosen.getName()));
        request.setField(chosen, filled(request.newBuilderForField(chosen), 3).build());
        return request;
    }

    @Test
    void requests_with_nonsense_in_every_field_are_answered_and_stop_nobody() {
        int answered = 0;
        int sent = 0;
        for (int round = 0; round < ROUNDS; round++) {
            write(round);
            Region region = region();
            int[] answers = new int[1];
            for (int i = 0; i < EACH; i++) {
                // Splits and changes of members with made-up numbers would be carried out where they fit.
                RegionRequest.Builder request =
                        filledCommand(RegionRequest.newBuilder(), List.of("split", "change_peers", "merge"));
                int store = random.nextInt(STORES);
                request.setContext(context(region, stores.get(store).storeId()));
                nodes.get(store).execute(() -> stores.get(store).region(request.build(), response -> answers[0]++));
                sent++;
            }
            // Those that wait for locks have their time, too.
            run(2000);
            answered += answers[0];
            assertAlive("requests of round " + round);
            assertArrayEquals(bytes(round), read(), "seed " + SEED + ", round " + round);
        }
        assertTrue(
                answered > sent * 9 / 10, "seed " + SEED + ": of " + sent + " requests " + answered + " were answered");
    }

    private static Context.Builder rightContext(Region region, long storeId) {
        Context.Builder context =
                Context.newBuilder().setRegionId(region.getId()).setEpoch(region.getEpoch());
        region.getPeersList().stream()
                .filter(peer -> peer.getStoreId() == storeId)
                .forEach(peer -> context.setPeerId(peer.getId()));
        return context;
    }

    /** Such that a good part of the requests is looked at. */
    private Context context(Region region, long storeId) {
        Context.Builder context = rightContext(region, storeId);
        if (random.nextInt(4) == 0) {
            distort(context, 0.5, true);
        }
        return context.build();
    }

    @Test
    void changes_of_regions_with_nonsense_in_every_field_stop_nobody() {
        for (int i = 0; i < ROUNDS * EACH / 4; i++) {
            Region region = region();
            RegionRequest.Builder request = RegionRequest.newBuilder();
            if (random.nextBoolean()) {
                filled(request.getSplitBuilder(), 2);
            } else {
                filled(request.getChangePeersBuilder(), 2);
            }
            int store = random.nextInt(STORES);
            request.setContext(context(region, stores.get(store).storeId()));
            nodes.get(store).execute(() -> stores.get(store).region(request.build(), response -> {}));
            run(20);
            assertAlive("change " + i);
        }
        write(1);
        assertArrayEquals(bytes(1), read());
    }

    @Test
    void questions_to_the_placement_driver_with_nonsense_in_every_field_stop_nobody() {
        write(1);
        int[] answers = new int[1];
        int sent = 0;
        for (int i = 0; i < ROUNDS * EACH; i++) {
            PlacementRequest request =
                    filledCommand(PlacementRequest.newBuilder(), List.of()).build();
            for (int store = 0; store < STORES; store++) {
                int at = store;
                nodes.get(store).execute(() -> stores.get(at).place(request, response -> answers[0]++));
                sent++;
            }
            run(5);
            assertAlive(request.getCommandCase() + " " + i);
        }
        run(5000);
        assertAlive("all of them");
        assertEquals(sent, answers[0], "seed " + SEED + ": each is answered once");
    }

    @Test
    void a_timestamp_far_ahead_of_all_that_were_handed_out_is_refused_and_pushes_nothing() {
        write(1);
        long now = done(client.placement().timestamp());
        Region region = region();
        for (long ahead : new long[] {now + Timestamps.of(3_600_000, 0), now * 2, Long.MAX_VALUE, -1}) {
            for (int store = 0; store < STORES; store++) {
                RegionRequest.Builder read = RegionRequest.newBuilder()
                        .setContext(rightContext(region, stores.get(store).storeId()));
                read.getGetBuilder().setKey(ByteString.copyFrom(KEY)).setReadTs(ahead);
                List<Boolean> errors = new ArrayList<>();
                int at = store;
                nodes.get(store).execute(() -> stores.get(at).region(read.build(), r -> errors.add(r.hasError())));
                run(100);
                assertEquals(List.of(true), errors);
            }
        }
        write(2);
        assertArrayEquals(bytes(2), read(), "what was committed afterwards is seen at once");
    }
}
