package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.flotilladb.region.client.ClientException;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.store.mvcc.Keys;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Scripted interleavings that have been wrong once, or are easily wrong, on three simulated nodes. */
class ScenarioTest {
    private static final long MS = 1_000_000L;
    private static final long LIMIT_MS = 30_000;
    /** In different Regions: the world splits in its middle. */
    private static final byte[] LEFT = Model.bytes(Model.junk(0));

    private static final byte[] RIGHT = Model.bytes(Model.junk(Model.BRANCHES - 1));

    private final SimWorld world = new SimWorld(
            SimulationSettings.of(1).withFaults(Set.of()).withMoving(false).withDirected(false));
    private TransactionClient one;
    private TransactionClient two;

    @BeforeEach
    void form() {
        world.form();
        one = world.clients().get(0).client();
        two = world.clients().get(1).client();
        commit(put(one.begin(false), "0", LEFT, RIGHT));
    }

    private static Transaction put(Transaction transaction, String value, byte[]... keys) {
        for (byte[] key : keys) {
            transaction.put(key, Model.bytes(value));
        }
        return transaction;
    }

    private <T> T done(CompletableFuture<T> future) {
        world.await("it is done", LIMIT_MS, future.handle((value, failure) -> null));
        return future.join();
    }

    private void commit(Transaction transaction) {
        done(transaction.commit());
    }

    private ClientException.Kind failure(CompletableFuture<?> future) {
        world.await("it is done", LIMIT_MS, future.handle((value, failure) -> null));
        try {
            future.join();
            return null;
        } catch (CompletionException e) {
            return ((ClientException) e.getCause()).kind();
        }
    }

    private String read(TransactionClient client, byte[] key) {
        byte[] value = done(client.begin(false).get(key));
        return value == null ? null : Model.text(value);
    }

    private void pass(long ms) {
        world.runUntil(world.time().nowNs() + ms * MS, () -> false);
    }

    private Pair newest(byte[] key) {
        // Every node has it a little later than the leader.
        pass(500);
        byte[] prefix = Keys.prefix(key);
        return world.servers().get(0).data().first(Family.WRITE, prefix, Keys.prefixEnd(prefix));
    }

    private boolean locked(byte[] key) {
        return world.servers().stream().anyMatch(server -> server.data().get(Family.LOCK, Keys.prefix(key)) != null);
    }

    @Test
    void a_commit_comes_after_everything_that_its_transaction_has_read() {
        Transaction reader = one.begin(true);
        done(reader.get(LEFT));
        put(reader, "1", LEFT);
        commit(put(two.begin(false), "2", RIGHT));
        reader.beginStatement();
        assertEquals("2", Model.text(done(reader.get(RIGHT))));
        commit(reader);
        long seen = Keys.commitTs(newest(RIGHT).key());
        long own = Keys.commitTs(newest(LEFT).key());
        assertTrue(own > seen, "committed at " + own + " after having seen a commit at " + seen);
    }

    @Test
    void locks_of_a_transaction_that_began_long_ago_are_not_taken_for_those_of_a_dead_one() {
        Transaction old = one.begin(false);
        done(old.get(LEFT));
        put(old, "1", LEFT, RIGHT);
        pass(4 * world.lockTtlMs());
        CompletableFuture<Void> committed = old.commit();
        assertTrue(world.runUntil(world.time().nowNs() + 1000 * MS, () -> locked(LEFT) && locked(RIGHT)));
        // Its client stands still for less than the ttl, and then goes on.
        world.clients().get(0).node().pause(world.lockTtlMs() / 2 * MS);
        CompletableFuture<byte[]> left = two.begin(false).get(LEFT);
        CompletableFuture<byte[]> right = two.begin(false).get(RIGHT);
        assertNull(failure(committed));
        done(left);
        done(right);
        assertEquals("1", read(two, LEFT));
        assertEquals("1", read(two, RIGHT));
    }

    @Test
    void a_shared_lock_of_a_dead_client_stops_writers_only_for_its_ttl() {
        Transaction dying = one.begin(false);
        done(dying.get(LEFT));
        dying.lockShared(LEFT);
        put(dying, "1", RIGHT);
        dying.commit();
        byte[] shared = Keys.sharedLock(LEFT, dying.startTs());
        BooleanSupplier stands =
                () -> world.servers().stream().anyMatch(server -> server.data().get(Family.LOCK, shared) != null);
        assertTrue(world.runUntil(world.time().nowNs() + 1000 * MS, stands));
        world.clients().get(0).node().crash();
        // What an operation may take is drawn with the world: it may be less than the ttl.
        pass(2 * world.lockTtlMs());
        assertTrue(stands.getAsBoolean(), "nobody has met the lock yet");
        Transaction writer = two.begin(false);
        writer.put(LEFT, Model.bytes("2"));
        commit(writer);
        assertEquals("2", read(two, LEFT));
    }

    @Test
    void a_lock_that_was_waited_for_is_not_given_to_a_transaction_that_is_over() {
        Transaction holder = one.begin(true);
        done(holder.lock(LEFT, 1000));
        Transaction waiter = two.begin(true);
        CompletableFuture<byte[]> waiting = waiter.lock(LEFT, 20_000);
        pass(100);
        assertFalse(waiting.isDone());
        waiter.rollback();
        pass(100);
        holder.rollback();
        pass(100);
        Transaction third = one.begin(true);
        assertNull(failure(third.lock(LEFT, 0)));
        third.rollback();
        assertEquals(ClientException.Kind.LOCK_TIMEOUT, failure(waiting));
    }

    @Test
    void a_lock_that_came_with_a_conflict_is_let_go_with_the_transaction() {
        Transaction stale = one.begin(false);
        done(stale.lock(RIGHT, 1000));
        commit(put(two.begin(false), "2", LEFT));
        assertEquals(ClientException.Kind.CONFLICT, failure(stale.lock(LEFT, 1000)));
        stale.rollback();
        pass(100);
        assertNull(failure(two.begin(true).lock(LEFT, 0)));
        assertNull(failure(two.begin(true).lock(RIGHT, 0)));
    }

    @Test
    void a_lock_taken_after_a_mark_is_let_go_by_the_commit() {
        Transaction transaction = one.begin(false);
        done(transaction.get(RIGHT));
        long mark = transaction.mark();
        done(transaction.lock(LEFT, 1000));
        transaction.rollbackTo(mark);
        put(transaction, "1", RIGHT);
        commit(transaction);
        pass(200);
        assertNull(failure(two.begin(true).lock(LEFT, 0)));
    }

    @Test
    void a_commit_whose_answer_is_lost_and_whose_region_is_not_found_again_is_unknown() {
        Transaction transaction = put(one.begin(false), "1", LEFT);
        done(transaction.readTs());
        long before = Keys.commitTs(newest(LEFT).key());
        CompletableFuture<Void> committed = transaction.commit();
        world.servers().forEach(server -> world.network().cut(server.address(), "client1"));
        assertEquals(ClientException.Kind.UNKNOWN_OUTCOME, failure(committed));
        assertTrue(Keys.commitTs(newest(LEFT).key()) > before, "the request was to arrive, and did not");
    }

    @Test
    void a_commit_whose_answer_is_lost_is_found_out_and_made_once() {
        Transaction transaction = put(one.begin(false), "1", LEFT);
        done(transaction.readTs());
        CompletableFuture<Void> committed = transaction.commit();
        world.servers().forEach(server -> world.network().cut(server.address(), "client1"));
        pass(300);
        world.network().healCuts();
        assertNull(failure(committed));
        assertEquals("1", read(two, LEFT));
        assertNotNull(newest(LEFT));
    }
}
