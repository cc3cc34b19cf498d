package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class WindowTest {
    private final List<CompletableFuture<Void>> begun = new ArrayList<>();

    @Test
    void soManyAreUnderWayAndNoMore() {
        CompletableFuture<Void> all = Window.run(requests(10), 3);
        assertEquals(3, begun.size());
        for (int i = 0; i < 10; i++) {
            assertFalse(all.isDone());
            begun.get(i).complete(null);
            assertEquals(Math.min(10, i + 4), begun.size());
        }
        assertTrue(all.isDone());
        all.join();
    }

    @Test
    void afterAFailureNoneIsBegunAndThoseUnderWayAreWaitedFor() {
        CompletableFuture<Void> all = Window.run(requests(10), 3);
        begun.get(1).completeExceptionally(new IllegalStateException("refused"));
        begun.get(0).complete(null);
        assertEquals(3, begun.size());
        assertFalse(all.isDone());
        begun.get(2).completeExceptionally(new IllegalStateException("too late"));
        assertEquals(
                "refused",
                assertThrows(CompletionException.class, all::join).getCause().getMessage());
    }

    @Test
    void aHundredThousandThatEndAtOnceNeedNoStack() {
        List<Supplier<CompletableFuture<Void>>> requests = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            requests.add(() -> CompletableFuture.completedFuture(null));
        }
        assertTrue(Window.run(requests, 1).isDone());
    }

    @Test
    void nothingToDoIsDone() {
        assertTrue(Window.run(requests(0), 8).isDone());
    }

    private List<Supplier<CompletableFuture<Void>>> requests(int count) {
        List<Supplier<CompletableFuture<Void>>> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(() -> {
                CompletableFuture<Void> request = new CompletableFuture<>();
                begun.add(request);
                return request;
            });
        }
        return requests;
    }
}
