package org.flotilladb.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ServerMainTest {

    @Test
    void aNodeThatCannotBeClosedDoesNotKeepTheProcessFromEnding() {
        CountDownLatch stopped = new CountDownLatch(1);
        AtomicInteger code = new AtomicInteger();
        ServerMain.close(
                () -> {
                    throw new IllegalStateException("the disk is gone");
                },
                null,
                code,
                stopped);
        assertEquals(0, stopped.getCount());
        assertEquals(1, code.get());
    }

    @Test
    void norDoesOneThatFailsWithAnError() {
        CountDownLatch stopped = new CountDownLatch(1);
        assertThrows(
                StackOverflowError.class,
                () -> ServerMain.close(
                        () -> {
                            throw new StackOverflowError();
                        },
                        null,
                        new AtomicInteger(),
                        stopped));
        assertEquals(0, stopped.getCount());
    }

    @Test
    void aPartThatCannotBeClosedDoesNotKeepTheOthersOpen() {
        List<String> closed = new ArrayList<>();
        List<AutoCloseable> parts = new ArrayList<>();
        parts.add(() -> closed.add("first"));
        parts.add(() -> {
            throw new IllegalStateException("stuck");
        });
        parts.add(() -> {
            throw new IllegalStateException("stuck as well");
        });
        parts.add(() -> closed.add("last"));
        IllegalStateException failure = assertThrows(IllegalStateException.class, () -> ServerNode.closeAll(parts));
        assertEquals(List.of("last", "first"), closed);
        assertTrue(failure.getMessage().contains("stuck as well"), failure.getMessage());
        assertEquals(1, failure.getSuppressed().length);
        assertTrue(parts.isEmpty());
    }
}
