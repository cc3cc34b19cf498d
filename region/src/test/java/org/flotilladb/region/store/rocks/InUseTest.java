package org.flotilladb.region.store.rocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import org.flotilladb.region.runtime.StorageException;
import org.junit.jupiter.api.Test;

class InUseTest {
    private final ArrayDeque<Integer> inside = new ArrayDeque<>();
    private int pauses;
    private final InUse users = new InUse("data", "here", this::oneGoesOut);

    private void oneGoesOut() {
        pauses++;
        assertThrows(StorageException.class, this::goIn, "somebody is let in while it is being closed");
        assertFalse(inside.isEmpty(), "it waits for nobody");
        users.exit(inside.poll());
    }

    private void goIn() {
        inside.add(users.enter());
    }

    @Test
    void closing_waits_until_the_last_one_is_out() {
        goIn();
        goIn();
        goIn();
        assertTrue(users.close());
        assertEquals(3, pauses);
        assertTrue(inside.isEmpty());
    }

    @Test
    void closing_waits_for_nobody_when_nobody_is_inside() {
        goIn();
        users.exit(inside.poll());
        assertTrue(users.close());
        assertEquals(0, pauses);
        assertFalse(users.close());
    }
}
