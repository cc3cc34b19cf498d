package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WriteBufferTest {
    private final WriteBuffer buffer = new WriteBuffer();

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Steps such as {@code put@0 lock@200}: what is done to one key, and with which timestamp. */
    private void apply(String steps) {
        for (String step : steps.split(" ")) {
            String[] parts = step.split("@");
            long ts = parts.length > 1 ? Long.parseLong(parts[1]) : 0;
            switch (parts[0]) {
                case "put" -> buffer.put(bytes("k"), bytes("v" + ts), ts);
                case "insert" -> buffer.insert(bytes("k"), bytes("v" + ts), ts);
                case "delete" -> buffer.delete(bytes("k"), ts);
                case "lock" -> buffer.lock(bytes("k"), ts);
                case "shared" -> buffer.lockShared(bytes("k"), ts);
                case "check" -> buffer.check(bytes("k"), ts);
                default -> throw new IllegalArgumentException(step);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "put@0, PUT, 0",
        "insert@0, INSERT, 0",
        "delete@0, DELETE, 0",
        "lock@150, LOCK, 150",
        "shared@150, SHARED_LOCK, 150",
        "check@150, CHECK, 150",
        "check@150 shared@200, SHARED_LOCK, 150",
        "shared@150 check@200, SHARED_LOCK, 150",
        "check@150 lock@200, LOCK, 150",
        "check@150 put@200, PUT, 150",
        "put@0 check@200, PUT, 0",
        "insert@0 put@0, INSERT, 0",
        "delete@0 insert@0, PUT, 0",
        "insert@0 delete@0, LOCK, 0",
        "put@0 delete@0, DELETE, 0",
        "lock@150 put@150, PUT, 150",
        "put@0 shared@0, PUT, 0",
        "shared@0 lock@200, LOCK, 0",
        // What is written again derives from what was seen first: a version between the two is a conflict.
        "put@0 put@200, PUT, 0",
        "put@0 delete@200, DELETE, 0",
        "put@0 lock@200, PUT, 0",
        "lock@150 put@200, PUT, 150",
        "lock@150 lock@200, LOCK, 150",
        "shared@0 put@200, PUT, 0",
    })
    void what_is_done_to_a_key_becomes_one_mutation_checked_from_the_first_timestamp(
            String steps, MutationKind kind, long forUpdateTs) {
        apply(steps);
        Mutation mutation = buffer.mutations().get(0);
        assertEquals(kind, mutation.getKind());
        assertEquals(forUpdateTs, mutation.getForUpdateTs());
    }

    @Test
    void what_was_buffered_at_a_mark_can_still_be_read() {
        buffer.put(bytes("a"), bytes("1"), 0);
        buffer.put(bytes("b"), bytes("1"), 0);
        long mark = buffer.mark();
        assertEquals("[a=1, b=1]", at(mark));
        buffer.put(bytes("a"), bytes("2"), 0);
        buffer.delete(bytes("b"), 0);
        buffer.insert(bytes("c"), bytes("3"), 0);
        assertEquals("[a=1, b=1]", at(mark));
        long later = buffer.mark();
        buffer.insert(bytes("d"), bytes("4"), 0);
        assertEquals("[a=2, b=null, c=3]", at(later));
        assertEquals("[a=1, b=1]", at(mark));
        buffer.rollbackTo(later);
        buffer.insert(bytes("e"), bytes("5"), 0);
        assertEquals("[a=1, b=1]", at(mark));
        assertTrue(buffer.changedSince(bytes("e"), mark));
        assertFalse(buffer.changedSince(bytes("a"), later));
        buffer.rollbackTo(mark);
        buffer.rollbackTo(1);
        buffer.put(bytes("f"), bytes("6"), 0);
        assertEquals("[a=1, f=6]", at(buffer.mark()));
    }

    private String at(long mark) {
        List<String> result = new ArrayList<>();
        buffer.rangeAt(bytes("a"), bytes("z"), mark)
                .forEach((key, change) ->
                        result.add(text(key) + "=" + (change.value() == null ? null : text(change.value()))));
        return result.toString();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void a_mark_takes_back_writes_and_nothing_before_it() {
        buffer.put(bytes("a"), bytes("1"), 0);
        long mark = buffer.mark();
        buffer.put(bytes("a"), bytes("2"), 0);
        buffer.delete(bytes("b"), 0);
        buffer.insert(bytes("c"), bytes("3"), 0);
        buffer.rollbackTo(mark);
        assertArrayEquals(bytes("1"), buffer.get(bytes("a")).value());
        assertNull(buffer.get(bytes("b")));
        assertNull(buffer.get(bytes("c")));
        assertTrue(buffer.hasWrites());
        buffer.rollbackTo(0);
        assertFalse(buffer.hasWrites());
        assertTrue(buffer.isEmpty());
    }

    @Test
    void marks_nest() {
        List<Long> marks = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            marks.add(buffer.mark());
            buffer.put(bytes("k"), bytes("v" + i), 0);
        }
        for (int i = 4; i > 0; i--) {
            buffer.rollbackTo(marks.get(i));
            assertArrayEquals(bytes("v" + (i - 1)), buffer.get(bytes("k")).value());
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "150"})
    void a_lock_taken_after_a_mark_stays_noted_because_it_stays_held(long forUpdateTs) {
        long mark = buffer.mark();
        buffer.lock(bytes("k"), forUpdateTs);
        buffer.put(bytes("k"), bytes("1"), forUpdateTs);
        buffer.rollbackTo(mark);
        assertEquals(MutationKind.LOCK, buffer.get(bytes("k")).kind());
        assertFalse(buffer.hasWrites());
    }

    @Test
    void an_own_insert_that_was_deleted_leaves_no_lock_behind_a_mark() {
        long mark = buffer.mark();
        buffer.insert(bytes("k"), bytes("1"), 0);
        buffer.delete(bytes("k"), 0);
        buffer.rollbackTo(mark);
        assertTrue(buffer.isEmpty());
    }

    @Test
    void a_range_has_what_is_in_it() {
        for (String key : List.of("a", "b", "c", "d")) {
            buffer.put(bytes(key), bytes(key), 0);
        }
        assertEquals(2, buffer.range(bytes("b"), bytes("d")).size());
        assertEquals(3, buffer.range(bytes("b"), null).size());
        assertEquals(0, buffer.range(bytes("d"), bytes("b")).size());
    }

    @Test
    void too_much_is_refused_with_what_to_do() {
        byte[] large = new byte[64 << 20];
        for (int i = 0; i < 3; i++) {
            buffer.put(bytes("k" + i), large, 0);
        }
        ClientException failure = assertThrows(ClientException.class, () -> buffer.put(bytes("k3"), large, 0));
        assertEquals(ClientException.Kind.TOO_LARGE, failure.kind());
        assertTrue(failure.getMessage().contains("commit more often"), failure.getMessage());
    }
}
